import { MisyProblem } from '@misy/api-client';
import { useQueryClient } from '@tanstack/react-query';
import { useMemo, useSyncExternalStore } from 'react';
import { api } from '../../api/client.js';
import { keep, namesKept, readKept } from '../../frame/kept.js';
import { useTenant } from '../../frame/tenant.js';

/** What was written and is not known to have arrived. */
export interface Outgoing {
  /** The same when it is sent again, so that it arrives once. */
  clientMessageId: string;
  text: string;
  /** Not sent, and neither are those after it. */
  failed: boolean;
  /** Why not, as long as the page knows. */
  problem?: unknown;
  /** It has arrived, and is shown until what was said has been read. */
  arrived?: true;
}

const NONE: readonly Outgoing[] = [];

/**
 * What a person has sent and is on its way, for each conversation in the order in which it was written: the next is sent when the one
 * before has arrived. It is kept in the tab until then, whatever conversation is open.
 */
export class Outbox {
  /** The conversations in which something was not sent. */
  failing: ReadonlySet<string> = new Set();
  private readonly known = new Map<string, readonly Outgoing[]>();
  private readonly busy = new Set<string>();
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly userId: string,
    private readonly tenantId: string,
    /** Called when a message has arrived, and when one was refused. */
    private readonly changed: (conversationId: string) => Promise<unknown>,
  ) {
    // What a page before this one had under way goes on, under its old name.
    const prefix = this.name('');
    for (const name of namesKept(userId).filter((one) => one.startsWith(prefix))) {
      const conversationId = name.slice(prefix.length);
      this.known.set(conversationId, JSON.parse(readKept(userId, name)) as Outgoing[]);
      void this.work(conversationId);
    }
    this.tell();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly of = (conversationId: string): readonly Outgoing[] => this.known.get(conversationId) ?? NONE;

  send(conversationId: string, text: string): void {
    this.set(conversationId, [...this.of(conversationId), { clientMessageId: crypto.randomUUID(), text, failed: false }]);
    void this.work(conversationId);
  }

  /** Sends what failed, and all that waits behind it. */
  again(conversationId: string): void {
    this.set(conversationId, this.of(conversationId).map((one) => ({ ...one, failed: false })));
    void this.work(conversationId);
  }

  discard(conversationId: string, clientMessageId: string): void {
    this.drop(conversationId, clientMessageId);
    void this.work(conversationId);
  }

  private async work(conversationId: string): Promise<void> {
    if (this.busy.has(conversationId)) return;
    this.busy.add(conversationId);
    const first = (): Outgoing | undefined => this.of(conversationId)[0];
    for (let message = first(); message && !message.failed; message = first()) await this.deliver(conversationId, message);
    this.busy.delete(conversationId);
  }

  private async deliver(conversationId: string, { clientMessageId, text }: Outgoing): Promise<void> {
    try {
      await api.call('answerConversation', { path: { tenantId: this.tenantId, conversationId }, body: { clientMessageId, text } });
      this.mark(conversationId, clientMessageId, { arrived: true });
      await this.changed(conversationId);
      this.drop(conversationId, clientMessageId);
    } catch (problem) {
      this.mark(conversationId, clientMessageId, { failed: true, problem });
      if (problem instanceof MisyProblem) void this.changed(conversationId);
    }
  }

  private mark(conversationId: string, clientMessageId: string, how: Partial<Outgoing>): void {
    this.set(conversationId, this.of(conversationId).map((one) => (one.clientMessageId === clientMessageId ? { ...one, ...how } : one)));
  }

  private drop(conversationId: string, clientMessageId: string): void {
    this.set(conversationId, this.of(conversationId).filter((one) => one.clientMessageId !== clientMessageId));
  }

  private set(conversationId: string, messages: readonly Outgoing[]): void {
    this.known.set(conversationId, messages);
    const kept = messages.filter(({ arrived }) => !arrived).map(({ clientMessageId, text, failed }) => ({ clientMessageId, text, failed }));
    keep(this.userId, this.name(conversationId), kept.length > 0 ? JSON.stringify(kept) : '');
    this.tell();
  }

  private tell(): void {
    this.failing = new Set([...this.known].filter(([, messages]) => messages.some(({ failed }) => failed)).map(([conversationId]) => conversationId));
    for (const listener of this.listeners) listener();
  }

  private name(conversationId: string): string {
    return `outbox/${this.tenantId}/${conversationId}`;
  }
}

const outboxes = new Map<string, Outbox>();

/** The outbox of whoever is signed in, at the tenant that they look at. */
export function useOutbox(): Outbox {
  const { tenantId, me } = useTenant();
  const queries = useQueryClient();
  const { userId } = me.user;
  return useMemo(() => {
    const name = `${userId}/${tenantId}`;
    const read = (conversationId: string): Promise<unknown> =>
      Promise.all(['said', 'conversation'].map((kind) => queries.invalidateQueries({ queryKey: [tenantId, kind, conversationId] })));
    const outbox = outboxes.get(name) ?? new Outbox(userId, tenantId, read);
    outboxes.set(name, outbox);
    return outbox;
  }, [userId, tenantId, queries]);
}

/** The conversations in which something was not sent. */
export function useFailing(): ReadonlySet<string> {
  const outbox = useOutbox();
  return useSyncExternalStore(outbox.subscribe, () => outbox.failing);
}

/** What is on its way in a conversation. */
export function useOutgoing(conversationId: string): readonly Outgoing[] {
  const outbox = useOutbox();
  return useSyncExternalStore(outbox.subscribe, () => outbox.of(conversationId));
}
