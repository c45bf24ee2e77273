import type { Schemas } from '@misy/api-client';
import type { Message, MisyError, MisyEvent, Session, SessionStatus } from '../public.js';
import { EventStreamParser, type StreamEvent } from './event-stream.js';
import type { Gateway } from './gateway.js';
import type { SessionKeeper } from './session-keeper.js';
import { SharedFeed, type Heard } from './shared-feed.js';
import type { Tools } from './tools.js';

// The server writes at least every 15 s: silence of this length is a connection that is dead in our direction.
const SILENCE_MS = 40_000;
// After a wake-up we do not wait for the watchdog when the last sign of life is older than one and a half keep-alives.
const STALE_MS = 22_000;
// A tab that is out of sight for so long lets another one listen.
const HIDDEN_MS = 30_000;
const PAGE_SIZE = 100;

export interface FeedListener {
  message(message: Message): void;
  /** What else happens. An error: the feed has stopped for good. */
  event: (event: MisyEvent) => void;
  online(online: boolean): void;
}

/** Keeps the page up to date with its session: history first, then live events, over any loss of network. */
export class LiveFeed {
  private running = false;
  private tries = 0;
  private lastHeard = 0;
  private upTo = 0;
  /** What is written so far of a message on its way. */
  private draft = '';
  private sessionId: string | undefined;
  /** The end of what is under way in this session, one thing after the other. */
  private last: Promise<unknown> = Promise.resolve();
  private wire = new AbortController();
  private readonly pause;
  private hiding: ReturnType<typeof setTimeout> | undefined;
  private shared: SharedFeed | undefined;

  constructor(
    private readonly tools: Tools,
    private readonly gateway: Gateway,
    private readonly sessions: SessionKeeper,
    private readonly listener: FeedListener,
  ) {
    this.pause = new tools.Pause();
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    this.tries = 0;
    this.shared = new SharedFeed(this.tools, `${this.gateway.keyspace}|feed`, (heard) => this.onHeard(heard));
    this.tools.page.addEventListener('visibilitychange', this.onVisibility);
    void this.run();
  }

  stop(): void {
    this.running = false;
    this.tools.page.removeEventListener('visibilitychange', this.onVisibility);
    this.shared?.close();
    this.reconnect();
  }

  /** Drops the connection there may be, or the pause before the next one, and connects anew. */
  reconnect(): void {
    this.wire.abort();
    this.pause.cut();
  }

  private readonly onVisibility = (): void => {
    const { clearTimeout, now, page, setTimeout } = this.tools;
    clearTimeout(this.hiding);
    if (page.hidden) this.hiding = setTimeout(() => this.wire.abort(), HIDDEN_MS);
    else if (this.wire.signal.aborted || now() - this.lastHeard > STALE_MS) this.reconnect();
  };

  private onHeard({ sessionId, event }: Heard): void {
    if (!this.sessionId) return;
    this.lastHeard = this.tools.now();
    // Another tab has gone on in a new session: it is the visitor's, so this tab goes with it.
    const following =
      sessionId === this.sessionId ? this.handle(event, sessionId) : this.sessions.replace(this.sessionId).then(() => this.reconnect());
    // What could not be read now is read when this tab connects anew.
    following.catch(() => this.reconnect());
  }

  /** From now on only what belongs to this session counts: what was asked for in another may still arrive. */
  enter(sessionId: string): void {
    if (this.sessionId === sessionId) return;
    this.sessionId = sessionId;
    this.upTo = 0;
    this.last = Promise.resolve();
  }

  private inTurn(task: () => Promise<void>): Promise<void> {
    const done = this.last.then(task, task);
    this.last = done;
    return done;
  }

  private async run(): Promise<void> {
    while (this.running) {
      this.wire = new AbortController();
      const { signal } = this.wire;
      let wait = this.tools.backoff(1) / 2;
      try {
        const session = await this.sessions.current();
        this.enter(session.sessionId);
        await this.inTurn(() => this.catchUp(session.sessionId));
        // A page opened in the background shows what there is, and listens once it is looked at.
        if (this.tools.page.hidden) this.wire.abort();
        else await this.shared?.lead(signal, () => this.listen(session, signal));
      } catch (error) {
        if (!signal.aborted) wait = await this.afterFailure(error);
      }
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- `stop` may have run meanwhile
      if (!this.running) return;
      // A tab out of sight waits to be looked at again.
      if (this.tools.page.hidden && signal.aborted) await this.pause.wait(2 ** 31 - 1);
      else if (!signal.aborted) await this.pause.wait(wait);
    }
  }

  private async afterFailure(cause: unknown): Promise<number> {
    // What is not the server's refusal (a lost connection, an answer that is no event) has no status.
    const error = cause as MisyError;
    this.tries++;
    if (error.status === 404 && this.sessionId) {
      await this.sessions.replace(this.sessionId).catch(() => undefined);
    } else if (this.tools.isTransient(error)) {
      if (this.tries > 1) this.listener.online(false);
    } else {
      this.running = false;
      this.listener.event({ type: 'error', error });
    }
    return Math.max(this.tools.backoff(this.tries), (error.retryAfter ?? 0) * 1000);
  }

  /** Reads what the session holds beyond the last message we know. */
  private async catchUp(sessionId: string): Promise<void> {
    for (let more = true; more; ) {
      const path = `/sessions/${sessionId}/messages?after=${this.upTo}&limit=${PAGE_SIZE}`;
      const page = await this.gateway.json<Schemas['MessagePage']>('GET', path);
      if (this.sessionId !== sessionId) return;
      page.items.forEach((message) => this.take(message));
      more = page.nextCursor !== null && page.items.length > 0;
    }
    this.listener.online(true);
  }

  private async listen(session: Session, signal: AbortSignal): Promise<void> {
    const { clearTimeout, now, setTimeout } = this.tools;
    const silence = new AbortController();
    const abort = (): void => silence.abort();
    signal.addEventListener('abort', abort);
    let watchdog = setTimeout(abort, SILENCE_MS);
    try {
      const headers = { Accept: 'text/event-stream', 'Last-Event-ID': String(this.upTo) };
      const path = `/sessions/${session.sessionId}/events`;
      const response = await this.gateway.request('GET', path, { headers, signal: silence.signal });
      const reader = response.body?.getReader();
      const decoder = new TextDecoder();
      const parser = new EventStreamParser();
      for (let piece; reader && !(piece = await reader.read()).done; ) {
        this.lastHeard = now();
        this.tries = 0;
        clearTimeout(watchdog);
        watchdog = setTimeout(abort, SILENCE_MS);
        for (const event of parser.push(decoder.decode(piece.value, { stream: true }))) {
          this.shared?.tell(session.sessionId, event);
          await this.handle(event, session.sessionId);
        }
        // Reconnecting renews the token while the old one still works.
        if (this.gateway.renewalDue) return;
      }
    } finally {
      clearTimeout(watchdog);
      signal.removeEventListener('abort', abort);
      silence.abort();
    }
  }

  private handle(event: StreamEvent, sessionId: string): Promise<void> {
    return this.inTurn(async () => {
      const data = this.tools.readJson(event.data) as Record<string, unknown>;
      const message = data as unknown as Message;
      const isMessage = event.event === 'message';
      // A hole in the numbers: ask for what is missing before showing what comes after it.
      if (isMessage && this.sessionId === sessionId && message.sequence > this.upTo + 1) await this.catchUp(sessionId);
      if (this.sessionId !== sessionId) return;
      if (isMessage) this.take(message);
      else this.tell(event.event, data);
    });
  }

  /** What the server may add to these is left alone. */
  private tell(name: string, data: Record<string, unknown>): void {
    const { event } = this.listener;
    if (name === 'typing') {
      this.draft = '';
      event({ type: 'typing', active: data.active === true, agentName: data.agentName as string | undefined });
    } else if (name === 'message.delta') {
      // All that is written so far, or what comes after it.
      const said = (piece: unknown): string => (typeof piece === 'string' ? piece : '');
      this.draft = said(data.text) || this.draft + said(data.delta);
      event({ type: 'delta', text: this.draft });
    } else if (name === 'status') event({ type: 'status', status: data.status as SessionStatus });
    else if (name === 'handoff') event({ type: 'handoff', detail: data });
  }

  private take(message: Message): void {
    if (message.sequence <= this.upTo) return;
    if (message.role !== 'contact') this.draft = '';
    this.upTo = message.sequence;
    this.listener.message(message);
  }
}
