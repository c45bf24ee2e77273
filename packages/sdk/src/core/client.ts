import type { Schemas } from '@misy/api-client';
import type { Message, MisyError, MisyEvent, Receipt, SendOptions, Session } from '../public.js';
import { atLast } from './backoff.js';
import { Gateway, type Site } from './gateway.js';
import type { LiveFeed } from './live-feed.js';
import { Outbox, type QueuedMessage } from './outbox.js';
import type { Load } from './parts.js';
import { SessionKeeper } from './session-keeper.js';
import { Store } from './store.js';
import { setTimeout } from './taken.js';
import { tools } from './tools.js';

/** Everything one page does with one tenant. The widget and the public functions are two ways to hold it. */
export class Client {
  readonly locale: string | undefined;
  readonly site: Site;
  readonly tools = tools;
  private readonly shelf: Store;
  readonly gateway: Gateway;
  private readonly sessions: SessionKeeper;
  private readonly outbox: Outbox;
  private feed: LiveFeed | undefined;
  private loading = false;
  private readonly handlers = new Set<(event: MisyEvent) => void>();
  private sessionId: string | undefined;
  private known: Message[] = [];
  private isLinked = true;
  private readonly ending = new AbortController();

  constructor(
    site: Site,
    locale: string | undefined,
    readonly load: Load,
  ) {
    this.site = site;
    this.locale = locale;
    this.shelf = new Store(load);
    const keyspace = [site.apiOrigin, site.tenantId, site.siteId, site.publicKey].join('|');
    this.gateway = new Gateway(site, this.shelf, keyspace);
    this.sessions = new SessionKeeper(this.gateway, this.shelf, locale, (session) => this.onSession(session));
    this.outbox = new Outbox(
      this.shelf,
      `${keyspace}|outbox`,
      (message, note) => this.deliver(message, note),
      (message) => this.emit({ type: 'outgoing', message }),
      () => this.sessionId,
      load,
    );
    const { signal } = this.ending;
    addEventListener('online', this.onNetwork, { signal });
    addEventListener('offline', this.onNetwork, { signal });
    void this.resume();
  }

  session(): Promise<Session> {
    return this.sessions.current();
  }

  /** Messages of the session as far as they have arrived, by sequence. */
  get messages(): readonly Message[] {
    return this.known;
  }

  get online(): boolean {
    return this.isLinked && navigator.onLine;
  }

  send(text: string, options?: SendOptions): Promise<Receipt> {
    this.listen();
    return this.outbox.send(text, options);
  }

  /** Sends a refused message again. How it fares is told by `outgoing` events. */
  retry(clientMessageId: string): Promise<void> {
    return this.outbox.retry(clientMessageId);
  }

  /** Forgets a refused message. */
  drop(clientMessageId: string): Promise<void> {
    return this.outbox.drop(clientMessageId);
  }

  /** Messages still on their way out, oldest first. */
  queued(): Promise<QueuedMessage[]> {
    return this.outbox.queued();
  }

  subscribe(handler: (event: MisyEvent) => void): () => void {
    this.handlers.add(handler);
    return () => this.handlers.delete(handler);
  }

  /** Opens the live feed; it stays open until `stop`. */
  listen(): void {
    if (this.feed) this.feed.start();
    else if (!this.loading) void this.loadFeed();
  }

  stop(): void {
    this.ending.abort();
    this.feed?.stop();
    this.outbox.stop();
    this.handlers.clear();
  }

  /** A note this browser keeps for the widget, such as "greeting dismissed"; `value` replaces it. */
  async note(name: string, value?: string): Promise<string | undefined> {
    return this.shelf.update<string>(`${this.gateway.keyspace}|${name}`, (held) => value ?? held);
  }

  /** The live feed has a file of its own, which comes when it is first needed, however often that takes. */
  private async loadFeed(): Promise<void> {
    this.loading = true;
    const { LiveFeed } = await atLast(
      () => this.load('live'),
      (_, failures) => {
        if (failures > 1) this.onConnection(false);
      },
    );
    if (this.ending.signal.aborted) return;
    this.feed = new LiveFeed(tools, this.gateway, this.sessions, {
      message: (message) => {
        this.known.push(message);
        this.emit({ type: 'message', message });
      },
      event: (event) => this.emit(event),
      online: (online) => this.onConnection(online),
    });
    this.feed.start();
  }

  // What an earlier page left in the queue goes out now, and its answers are wanted.
  private async resume(): Promise<void> {
    const queue = await this.outbox.queued();
    if (!queue.some((message) => !message.errorCode)) return;
    this.outbox.flush();
    this.listen();
  }

  private async deliver(message: QueuedMessage, note: (sessionId: string) => Promise<void>): Promise<Receipt> {
    const { sessionId } = await this.sessions.current();
    const tried = message.sessionId;
    // An earlier try may have been stored although its answer was lost: the session that it went to knows.
    const receipt = tried && tried !== sessionId && (await this.tryIn(tried, message));
    if (receipt) return receipt;
    if (tried !== sessionId) await note(sessionId);
    const first = await this.tryIn(sessionId, message);
    if (first) return first;
    const next = await this.sessions.replace(sessionId);
    this.feed?.reconnect();
    await note(next.sessionId);
    return this.post(message, next.sessionId);
  }

  /** Nothing if the session is over (404) or closed (409) and does not have the message: the visitor goes on in another. */
  private async tryIn(sessionId: string, message: QueuedMessage): Promise<Receipt | undefined> {
    try {
      return await this.post(message, sessionId);
    } catch (error) {
      const { status } = error as Partial<MisyError>;
      if (status !== 404 && status !== 409) throw error;
      return undefined;
    }
  }

  private post(message: QueuedMessage, sessionId: string): Promise<Receipt> {
    const { tenantId, siteId } = this.site;
    const { clientMessageId, text, metadata, action, attachments } = message;
    const envelope = { tenantId, siteId, sessionId, channel: 'web', metadata, clientMessageId } as const;
    const write = (said: Pick<Schemas['MessageRequest'], 'text' | 'action'> & { attachments?: string[] }): Promise<Receipt> =>
      this.gateway.json<Schemas['MessageReceipt']>('POST', '/messages', { ...envelope, ...said });
    if (!action) return write({ text: text || undefined, attachments: attachments?.length ? attachments.map(({ fileId }) => fileId) : undefined });
    return write({ action }).catch((error: unknown) => {
      // What can no longer be pressed (422: it is far back, or of a session that is over) still says what the visitor means.
      if ((error as Partial<MisyError>).status !== 422) throw error;
      return write({ text });
    });
  }

  private onSession(session: Session): void {
    if (this.sessionId !== session.sessionId) this.known = [];
    this.sessionId = session.sessionId;
    this.feed?.enter(session.sessionId);
    this.emit({ type: 'session', session });
  }

  private onConnection(online: boolean): void {
    if (this.isLinked === online) return;
    this.isLinked = online;
    this.emit({ type: 'connection', online: this.online });
  }

  private readonly onNetwork = (): void => {
    this.emit({ type: 'connection', online: this.online });
    if (!navigator.onLine) return;
    this.feed?.reconnect();
    this.outbox.flush();
  };

  private emit(event: MisyEvent): void {
    for (const handler of [...this.handlers]) {
      try {
        handler(event);
      } catch (error) {
        // One bad listener must not cost the others their event; it is reported like any uncaught error.
        setTimeout(() => {
          throw error;
        });
      }
    }
  }
}
