import { MisyError, type Action, type Attachment, type OutgoingMessage, type Receipt, type SendOptions } from '../public.js';
import { backoff, Pause } from './backoff.js';
import { withLock } from './lock.js';
import { lengthOf, LONGEST_TEXT } from './limits.js';
import type { Load } from './parts.js';
import { isTransient } from './problem.js';
import type { Store } from './store.js';
import { readJson, writeJson } from './taken.js';

/** A message as it waits in storage. */
export interface QueuedMessage {
  clientMessageId: string;
  text: string;
  metadata: Record<string, unknown>;
  /** What was pressed. `text` is what stood on it. */
  action?: Action;
  attachments?: Attachment[];
  /** Files that were to go with it and that the server has no more. */
  missing?: Attachment[];
  createdAt: string;
  /** The session it was written in or last sent to: only there does the server know whether it has it. */
  sessionId?: string;
  /** Set when another tab than its own has sent it, which then waits for this; its text is gone. */
  receipt?: Receipt;
  /** Set when the server refused it for good. */
  errorCode?: string;
}

/**
 * Hands one message to the server, and notes first to which session. The same `clientMessageId` must lead to the same
 * receipt.
 */
export type Deliver = (message: QueuedMessage, note: (sessionId: string) => Promise<void>) => Promise<Receipt>;

/** Receipts that are kept for tabs that may be gone. */
const MOST_RECEIPTS = 20;
export interface Waiter {
  message: QueuedMessage;
  resolve: (receipt: Receipt) => void;
  reject: (error: MisyError) => void;
}

/**
 * The visitor's messages on their way out: written down first, sent strictly one after the other over all tabs, tried
 * again until the server has taken or refused them.
 */
export class Outbox {
  private readonly waiters = new Map<string, Waiter>();
  private readonly pause = new Pause();
  private running: Promise<void> | undefined;
  /** Somebody asked for a flush since the last look into the queue. */
  private asked = false;
  private tries = 0;
  private stopped = false;

  constructor(
    private readonly shelf: Store,
    private readonly storageKey: string,
    private readonly deliver: Deliver,
    private readonly told: (message: OutgoingMessage) => void,
    /** The session as far as it is known. */
    private readonly session: () => string | undefined,
    private readonly load: Load,
  ) {}

  async send(text: string, options: SendOptions = {}): Promise<Receipt> {
    // As it will be sent: what is no JSON cannot be written down either.
    const { metadata = {}, action, attachments } = readJson(writeJson(options)) as SendOptions;
    if (!(text.trim() || attachments?.length) || lengthOf(text) > LONGEST_TEXT) throw new MisyError('validation_failed');
    const createdAt = new Date().toISOString();
    // Half a character, as a careless cut of a text leaves it, is no text for the server.
    const whole = text.replace(/\p{Cs}/gu, '\ufffd');
    return this.enqueue({ clientMessageId: crypto.randomUUID(), text: whole, metadata, action, attachments, createdAt, sessionId: this.session() });
  }

  /** Drops a message that was refused. */
  async drop(clientMessageId: string): Promise<void> {
    await this.edit((queue) => queue.filter(({ clientMessageId: id, errorCode }) => id !== clientMessageId || !errorCode));
  }

  /** Sends a refused message again, as the last one. */
  async retry(clientMessageId: string): Promise<void> {
    const refused = (await this.queued()).find((message) => message.clientMessageId === clientMessageId);
    if (refused) await this.enqueue({ ...refused, errorCode: undefined });
  }

  async queued(): Promise<QueuedMessage[]> {
    return (await this.stored()).filter((message) => !message.receipt);
  }

  private async stored(): Promise<QueuedMessage[]> {
    return (await this.shelf.read<QueuedMessage[]>(this.storageKey)) ?? [];
  }

  /** Starts sending, or ends a pause between two tries. */
  flush(): void {
    this.asked = true;
    this.pause.cut();
    this.running ??= this.run().finally(() => {
      this.running = undefined;
      if (this.asked && !this.stopped) this.flush();
    });
  }

  stop(): void {
    this.stopped = true;
    this.pause.cut();
  }

  private async enqueue(message: QueuedMessage): Promise<Receipt> {
    const id = message.clientMessageId;
    let added: Promise<void> | undefined;
    const settled = new Promise<Receipt>((resolve, reject) => {
      let isNew = true;
      added = this.edit((queue) => {
        // Together with the queue, so that `next` never sees one without the other; once, though the queue may be made up for later.
        if (isNew) this.waiters.set(id, { message, resolve, reject });
        isNew = false;
        return [...queue.filter((other) => other.clientMessageId !== id), message];
      });
    });
    await added;
    this.tell(message, { state: 'sending' });
    this.flush();
    return settled;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      let wait = 0;
      this.asked = false;
      try {
        await withLock(this.storageKey, () => this.drain());
        this.tries = 0;
        if (!(await this.next())) return;
      } catch (error) {
        wait = Math.max(backoff(++this.tries), ((error as Partial<MisyError>).retryAfter ?? 0) * 1000);
      }
      // The lock is free while we wait, so that another tab may try too.
      await this.rest(wait);
    }
  }

  private async rest(milliseconds: number): Promise<void> {
    if (!this.asked) await this.pause.wait(milliseconds);
  }

  private async drain(): Promise<void> {
    for (let message = await this.next(); message && !this.stopped; message = await this.next()) await this.attempt(message);
  }

  /** The first message to be sent, or one of ours of which nothing is left: asked again, the server repeats the receipt. */
  private async next(): Promise<QueuedMessage | undefined> {
    // Taken before the queue is read: each of these has been written down by then.
    const waiters = [...this.waiters.values()];
    const queue = await this.stored();
    for (const { message, resolve, reject } of waiters) {
      const id = message.clientMessageId;
      const stored = queue.find((other) => other.clientMessageId === id);
      if (!stored) return message;
      const { errorCode, receipt } = stored;
      if (!errorCode && !receipt) continue;
      // Another tab has sent it.
      this.waiters.delete(id);
      if (receipt) {
        this.tell(message, { state: 'sent', receipt });
        resolve(receipt);
      } else reject(new MisyError(errorCode ?? ''));
    }
    return queue.find(({ errorCode, receipt }) => !errorCode && !receipt);
  }

  private async attempt(message: QueuedMessage): Promise<void> {
    const id = message.clientMessageId;
    try {
      const receipt = await this.deliver(message, (sessionId) => this.amend(id, { sessionId }));
      if (message.missing) receipt.missing = message.missing;
      const isOurs = this.waiters.has(id);
      await this.edit((queue) => {
        const rest = queue.filter((other) => other.clientMessageId !== id);
        if (isOurs || rest.length === queue.length) return rest;
        return [{ clientMessageId: id, text: '', metadata: {}, createdAt: '', receipt }, ...rest].filter((other, index) => !other.receipt || index < MOST_RECEIPTS);
      });
      this.tell(message, { state: 'sent', receipt });
      this.waiters.get(id)?.resolve(receipt);
    } catch (error) {
      if (isTransient(error)) {
        this.tell(message, { state: 'queued' });
        throw error;
      }
      const problem = error as MisyError;
      let errorCode = problem.code;
      if (message.attachments?.length && problem.missing.includes('/attachments')) {
        const { goOnWithout } = await this.load('files');
        if (await goOnWithout(message, problem.missing, this.waiters.get(id), (change) => this.edit(change), this.told)) return;
        errorCode = 'files_missing';
      }
      await this.amend(id, { errorCode });
      this.tell(message, { state: 'failed', errorCode });
      this.waiters.get(id)?.reject(new MisyError(errorCode, problem.status, problem));
    }
    this.waiters.delete(id);
  }

  private tell(message: QueuedMessage, news: Pick<OutgoingMessage, 'state' | 'receipt' | 'errorCode'>): void {
    this.told({ ...message, ...news });
  }

  private async amend(id: string, news: Partial<QueuedMessage>): Promise<void> {
    await this.edit((queue) => queue.map((other) => (other.clientMessageId === id ? { ...other, ...news } : other)));
  }

  private async edit(change: (queue: QueuedMessage[]) => QueuedMessage[]): Promise<void> {
    await this.shelf.update<QueuedMessage[]>(this.storageKey, (queue) => change(queue ?? []));
  }
}
