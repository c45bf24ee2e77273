import type { Schemas } from '@misy/api-client';
import { MisyError, type Session } from '../public.js';
import type { Gateway } from './gateway.js';
import { withLock } from './lock.js';
import { isTransient } from './problem.js';
import type { Store } from './store.js';

/** Opens the visitor's session once, keeps it over reloads and shares it between tabs. */
export class SessionKeeper {
  private opening: Promise<Session> | undefined;
  private readonly storageKey: string;

  constructor(
    private readonly gateway: Gateway,
    private readonly shelf: Store,
    private readonly locale: string | undefined,
    private readonly opened: (session: Session) => void,
  ) {
    this.storageKey = `${gateway.keyspace}|session`;
  }

  current(): Promise<Session> {
    return (this.opening ??= this.restored().then(
      (session) => {
        this.opened(session);
        return session;
      },
      (error: unknown) => {
        this.opening = undefined;
        throw error;
      },
    ));
  }

  /** Gives up a session that the server no longer knows or takes messages for, and answers its successor. */
  async replace(sessionId: string): Promise<Session> {
    const held = await this.current();
    if (held.sessionId === sessionId) {
      await this.shelf.update<Session>(this.storageKey, (saved) => (saved?.sessionId === sessionId ? undefined : saved));
      this.opening = undefined;
    }
    return this.current();
  }

  private restored(): Promise<Session> {
    return withLock(this.storageKey, async () => {
      const saved = await this.shelf.read<Session>(this.storageKey);
      const session = (saved && (await this.revive(saved))) ?? (await this.open());
      // A tab that has not waited for this one may have opened another: the first that is stored is that of all.
      const first = (now: Session | undefined): Session => (now && now.sessionId !== saved?.sessionId ? now : session);
      return (await this.shelf.update(this.storageKey, first)) ?? session;
    });
  }

  private async revive(saved: Session): Promise<Session | undefined> {
    try {
      const known = await this.gateway.json<Schemas['SessionState']>('GET', `/sessions/${saved.sessionId}`);
      return known.status === 'closed' ? undefined : { ...saved, ...known };
    } catch (error) {
      if (isTransient(error)) return saved;
      if (error instanceof MisyError && error.status === 404) return undefined;
      throw error;
    }
  }

  private open(): Promise<Session> {
    // The page without its query, which may carry personal data.
    const page = location.origin + location.pathname;
    return this.gateway.json<Schemas['SessionAnswer']>('POST', '/sessions', {
      channel: 'web',
      locale: this.locale,
      metadata: { page },
    } satisfies Schemas['SessionRequest']);
  }
}
