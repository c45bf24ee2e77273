import type { Schemas } from '@misy/api-client';
import type { Message, MisyError, Session } from '../public.js';
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
  /** `typing`, `status`, `handoff` and whatever the server may add. */
  event(name: string, data: Record<string, unknown>): void;
  online(online: boolean): void;
  /** The feed has stopped for good. */
  failed(error: MisyError): void;
}

/** Keeps the page up to date with its session: history first, then live events, over any loss of network. */
export class LiveFeed {
  private running = false;
  private failures = 0;
  private lastHeard = 0;
  private lastSequence = 0;
  private sessionId: string | undefined;
  private connection = new AbortController();
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
    this.failures = 0;
    this.shared = new SharedFeed(this.tools, `${this.gateway.namespace}|feed`, (heard) => this.onHeard(heard));
    document.addEventListener('visibilitychange', this.onVisibility);
    void this.run();
  }

  stop(): void {
    this.running = false;
    document.removeEventListener('visibilitychange', this.onVisibility);
    this.shared?.close();
    this.reconnect();
  }

  /** Drops the connection there may be, or the pause before the next one, and connects anew. */
  reconnect(): void {
    this.connection.abort();
    this.pause.cut();
  }

  private readonly onVisibility = (): void => {
    const { clearTimeout, now, setTimeout } = this.tools;
    clearTimeout(this.hiding);
    if (document.hidden) this.hiding = setTimeout(() => this.connection.abort(), HIDDEN_MS);
    else if (this.connection.signal.aborted || now() - this.lastHeard > STALE_MS) this.reconnect();
  };

  private onHeard({ sessionId, event }: Heard): void {
    if (!this.sessionId) return;
    this.lastHeard = this.tools.now();
    // Another tab has gone on in a new session: it is the visitor's, so this tab goes with it.
    const following =
      sessionId === this.sessionId ? this.handle(event, sessionId) : this.sessions.replace(this.sessionId).then(() => this.reconnect());
    following.catch(() => undefined);
  }

  private async run(): Promise<void> {
    while (this.running) {
      this.connection = new AbortController();
      const { signal } = this.connection;
      let wait = this.tools.backoff(1) / 2;
      try {
        const session = await this.sessions.current();
        await this.catchUp(session.sessionId);
        // A page opened in the background shows what there is, and listens once it is looked at.
        if (document.hidden) this.connection.abort();
        else await this.shared?.lead(signal, () => this.listen(session, signal));
      } catch (error) {
        if (!signal.aborted) wait = await this.afterFailure(error);
      }
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- `stop` may have run meanwhile
      if (!this.running) return;
      // A tab out of sight waits to be looked at again.
      if (document.hidden && signal.aborted) await this.pause.wait(2 ** 31 - 1);
      else if (!signal.aborted) await this.pause.wait(wait);
    }
  }

  private async afterFailure(cause: unknown): Promise<number> {
    // What is not the server's refusal (a lost connection, an answer that is no event) has no status.
    const error = cause as MisyError;
    this.failures++;
    if (error.status === 404 && this.sessionId) {
      await this.sessions.replace(this.sessionId).catch(() => undefined);
    } else if (this.tools.isTransient(error)) {
      if (this.failures > 1) this.listener.online(false);
    } else {
      this.running = false;
      this.listener.failed(error);
    }
    return Math.max(this.tools.backoff(this.failures), (error.retryAfter ?? 0) * 1000);
  }

  /** Reads what the session holds beyond the last message we know. */
  private async catchUp(sessionId: string): Promise<void> {
    if (this.sessionId !== sessionId) {
      this.sessionId = sessionId;
      this.lastSequence = 0;
    }
    for (let more = true; more; ) {
      const path = `/sessions/${sessionId}/messages?after=${this.lastSequence}&limit=${PAGE_SIZE}`;
      const page = await this.gateway.json<Schemas['MessagePage']>('GET', path);
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
      const headers = { Accept: 'text/event-stream', 'Last-Event-ID': String(this.lastSequence) };
      const path = `/sessions/${session.sessionId}/events`;
      const response = await this.gateway.request('GET', path, { headers, signal: silence.signal });
      const reader = response.body?.getReader();
      const decoder = new TextDecoder();
      const parser = new EventStreamParser();
      for (let piece; reader && !(piece = await reader.read()).done; ) {
        this.lastHeard = now();
        this.failures = 0;
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

  private async handle(event: StreamEvent, sessionId: string): Promise<void> {
    const data = this.tools.readJson(event.data) as Record<string, unknown>;
    if (event.event !== 'message') {
      this.listener.event(event.event, data);
      return;
    }
    const message = data as unknown as Message;
    // A hole in the numbers: ask for what is missing before showing what comes after it.
    if (message.sequence > this.lastSequence + 1) await this.catchUp(sessionId);
    this.take(message);
  }

  private take(message: Message): void {
    if (message.sequence <= this.lastSequence) return;
    this.lastSequence = message.sequence;
    this.listener.message(message);
  }
}
