import type { Message, MisyError, MisyEvent, OutgoingMessage, Receipt, Session, SessionStatus } from '../public.js';
import { Gateway, type Site } from './gateway.js';
import { LiveFeed } from './live-feed.js';
import { Outbox, type QueuedMessage } from './outbox.js';
import { SessionKeeper } from './session-keeper.js';
import { Store } from './store.js';

/** Everything one page does with one tenant. The widget and the public functions are two ways to hold it. */
export class Client {
  readonly locale: string | undefined;
  readonly site: Site;
  private readonly store = new Store();
  private readonly gateway: Gateway;
  private readonly sessions: SessionKeeper;
  private readonly outbox: Outbox;
  private readonly feed: LiveFeed;
  private readonly handlers = new Set<(event: MisyEvent) => void>();
  private sessionId: string | undefined;
  private known: Message[] = [];
  private connected = true;

  constructor(site: Site, locale: string | undefined) {
    this.site = site;
    this.locale = locale;
    const namespace = [site.apiOrigin, site.tenantId, site.siteId, site.publicKey].join('|');
    this.gateway = new Gateway(site, this.store, namespace);
    this.sessions = new SessionKeeper(this.gateway, this.store, locale, (session) => this.onSession(session));
    this.outbox = new Outbox(
      this.store,
      `${namespace}|outbox`,
      (message) => this.deliver(message),
      (message) => this.emit({ type: 'outgoing', message }),
    );
    this.feed = new LiveFeed(this.gateway, this.sessions, {
      message: (message) => this.onMessage(message),
      event: (name, data) => this.onFeedEvent(name, data),
      online: (online) => this.onConnection(online),
      failed: (error) => this.emit({ type: 'error', error }),
    });
    addEventListener('online', this.onNetwork);
    addEventListener('offline', this.onNetwork);
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
    return this.connected && navigator.onLine;
  }

  send(text: string, metadata?: Record<string, unknown>): Promise<Receipt> {
    this.feed.start();
    return this.outbox.send(text, metadata);
  }

  /** Sends a refused message again. How it fares is told by `outgoing` events. */
  retry(clientMessageId: string): void {
    this.outbox.retry(clientMessageId).catch(() => undefined);
  }

  /** Messages still on their way out, oldest first. */
  async outgoing(): Promise<OutgoingMessage[]> {
    const queue = await this.outbox.queued();
    return queue.map(({ clientMessageId, text, createdAt, errorCode }) => ({
      clientMessageId,
      text,
      createdAt,
      errorCode,
      state: errorCode ? 'failed' : this.online ? 'sending' : 'queued',
    }));
  }

  subscribe(handler: (event: MisyEvent) => void): () => void {
    this.handlers.add(handler);
    return () => this.handlers.delete(handler);
  }

  /** Opens the live feed; it stays open until `stop`. */
  listen(): void {
    this.feed.start();
  }

  stop(): void {
    removeEventListener('online', this.onNetwork);
    removeEventListener('offline', this.onNetwork);
    this.feed.stop();
    this.outbox.stop();
    this.handlers.clear();
  }

  /** A note this browser keeps for the widget, such as "greeting dismissed"; `value` replaces it. */
  async note(name: string, value?: string): Promise<string | undefined> {
    return this.store.update<string>(`${this.gateway.namespace}|${name}`, (held) => value ?? held);
  }

  // What an earlier page left in the queue goes out now, and its answers are wanted.
  private async resume(): Promise<void> {
    const queue = await this.outbox.queued();
    if (!queue.some((message) => !message.errorCode)) return;
    this.outbox.flush();
    this.feed.start();
  }

  private async deliver(message: QueuedMessage): Promise<Receipt> {
    const session = await this.sessions.current();
    try {
      return await this.post(message, session);
    } catch (error) {
      // The session is over (404) or closed (409): the visitor goes on in a new one.
      const { status } = error as Partial<MisyError>;
      if (status !== 404 && status !== 409) throw error;
      const next = await this.sessions.replace(session.sessionId);
      this.feed.reconnect();
      return this.post(message, next);
    }
  }

  private post(message: QueuedMessage, session: Session): Promise<Receipt> {
    const { tenantId, siteId } = this.site;
    const { clientMessageId, text, metadata } = message;
    const { sessionId } = session;
    const envelope = { tenantId, siteId, sessionId, channel: 'web', metadata, clientMessageId, text };
    return this.gateway.json<Receipt>('POST', '/messages', envelope);
  }

  private onSession(session: Session): void {
    if (this.sessionId !== session.sessionId) this.known = [];
    this.sessionId = session.sessionId;
    this.emit({ type: 'session', session });
  }

  private onMessage(message: Message): void {
    this.known.push(message);
    this.emit({ type: 'message', message });
  }

  private onFeedEvent(name: string, data: Record<string, unknown>): void {
    if (name === 'typing') {
      this.emit({ type: 'typing', active: data.active === true, agentName: data.agentName as string | undefined });
    } else if (name === 'status') this.emit({ type: 'status', status: data.status as SessionStatus });
    else if (name === 'handoff') this.emit({ type: 'handoff', detail: data });
  }

  private onConnection(online: boolean): void {
    if (this.connected === online) return;
    this.connected = online;
    this.emit({ type: 'connection', online: this.online });
  }

  private readonly onNetwork = (): void => {
    this.emit({ type: 'connection', online: this.online });
    if (!navigator.onLine) return;
    this.feed.reconnect();
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
