import { MisyError, type Action, type Attachment, type OutgoingMessage, type Receipt, type SendOptions } from '../public.js';
import { backoff, Pause } from './backoff.js';
import { withLock } from './lock.js';
import { lengthOf, LONGEST_TEXT } from './limits.js';
import { isTransient } from './problem.js';
import type { Store } from './store.js';

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
  /** The session it was last sent to: only there does the server know whether it has it. */
  sessionId?: string;
  /** Set when the server refused it for good. */
  errorCode?: string;
}

/**
 * Hands one message to the server, and notes first to which session. The same `clientMessageId` must lead to the same
 * receipt.
 */
export type Deliver = (message: QueuedMessage, note: (sessionId: string) => Promise<void>) => Promise<Receipt>;

/** All that is left of the message are files that the server has no more. */
export const FILES_MISSING = 'files_missing';

/** The files of a message that the server refused because it does not have them for this session. */
function missingIn({ attachments = [] }: QueuedMessage, { missing }: MisyError): Attachment[] | undefined {
  if (!attachments.length || !missing.includes('/attachments')) return undefined;
  const named = attachments.filter((_, at) => missing.includes(`/attachments/${at}`));
  return named.length ? named : attachments;
}

interface Waiter {
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
  private failures = 0;
  private stopped = false;

  constructor(
    private readonly store: Store,
    private readonly storageKey: string,
    private readonly deliver: Deliver,
    private readonly changed: (message: OutgoingMessage) => void,
  ) {}

  async send(text: string, { metadata = {}, action, attachments }: SendOptions = {}): Promise<Receipt> {
    if (!(text.trim() || attachments?.length) || lengthOf(text) > LONGEST_TEXT) throw new MisyError('validation_failed');
    const createdAt = new Date().toISOString();
    // Half a character, as a careless cut of a text leaves it, is no text for the server.
    const whole = text.replace(/\p{Cs}/gu, '\ufffd');
    return this.enqueue({ clientMessageId: crypto.randomUUID(), text: whole, metadata, action, attachments, createdAt });
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
    return (await this.store.read<QueuedMessage[]>(this.storageKey)) ?? [];
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
      added = this.edit((queue) => {
        // Together with the queue, so that `next` never sees one without the other.
        this.waiters.set(id, { message, resolve, reject });
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
        this.failures = 0;
        if (!(await this.next())) return;
      } catch (error) {
        wait = Math.max(backoff(++this.failures), ((error as Partial<MisyError>).retryAfter ?? 0) * 1000);
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

  /** The first message to be sent, or one of ours that another tab has sent: asked again, the server repeats the receipt. */
  private async next(): Promise<QueuedMessage | undefined> {
    // Taken before the queue is read: each of these has been written down by then.
    const waiters = [...this.waiters.values()];
    const queue = await this.queued();
    for (const { message, reject } of waiters) {
      const stored = queue.find((other) => other.clientMessageId === message.clientMessageId);
      if (!stored) return message;
      if (stored.errorCode) {
        this.waiters.delete(message.clientMessageId);
        reject(new MisyError(stored.errorCode));
      }
    }
    return queue.find((message) => !message.errorCode);
  }

  private async attempt(message: QueuedMessage): Promise<void> {
    const id = message.clientMessageId;
    try {
      const receipt = await this.deliver(message, (sessionId) => this.amend(id, { sessionId }));
      await this.edit((queue) => queue.filter((other) => other.clientMessageId !== id));
      if (message.missing) receipt.missing = message.missing;
      this.tell(message, { state: 'sent', receipt });
      this.waiters.get(id)?.resolve(receipt);
    } catch (error) {
      const problem = error instanceof MisyError ? error : new MisyError('network_error', 0, { message: String(error) });
      if (isTransient(problem)) {
        this.tell(message, { state: 'queued' });
        throw problem;
      }
      const missing = missingIn(message, problem);
      if (missing && (await this.goOnWithout(message, missing))) return;
      const refusal = missing ? new MisyError(FILES_MISSING, problem.status, problem) : problem;
      const errorCode = refusal.code;
      await this.amend(id, { errorCode });
      this.tell(message, { state: 'failed', errorCode });
      this.waiters.get(id)?.reject(refusal);
    }
    this.waiters.delete(id);
  }

  /**
   * A file belongs to the session that it was uploaded in, and waits a day. What a message says and what is still there of its
   * files goes on; the rest stays, and says that it is to be sent again. False when nothing would be left of the message.
   */
  private async goOnWithout(message: QueuedMessage, missing: Attachment[]): Promise<boolean> {
    const { clientMessageId: id, createdAt } = message;
    const attachments = message.attachments?.filter((file) => !missing.includes(file)) ?? [];
    if (!message.text.trim() && !attachments.length) return false;
    const news = { attachments, missing: [...(message.missing ?? []), ...missing] };
    const left: QueuedMessage = { clientMessageId: crypto.randomUUID(), text: '', metadata: {}, attachments: missing, createdAt, errorCode: FILES_MISSING };
    await this.edit((queue) => queue.flatMap((other) => (other.clientMessageId === id ? [{ ...other, ...news }, left] : [other])));
    const waiter = this.waiters.get(id);
    if (waiter) waiter.message = { ...message, ...news };
    this.tell({ ...message, ...news }, { state: 'sending' });
    this.tell(left, { state: 'failed', errorCode: FILES_MISSING });
    return true;
  }

  private tell(message: QueuedMessage, news: Pick<OutgoingMessage, 'state' | 'receipt' | 'errorCode'>): void {
    this.changed({ ...message, ...news });
  }

  private async amend(id: string, news: Partial<QueuedMessage>): Promise<void> {
    await this.edit((queue) => queue.map((other) => (other.clientMessageId === id ? { ...other, ...news } : other)));
  }

  private async edit(change: (queue: QueuedMessage[]) => QueuedMessage[]): Promise<void> {
    await this.store.update<QueuedMessage[]>(this.storageKey, (queue) => change(queue ?? []));
  }
}
