import type { QueuedMessage, Waiter } from '../core/outbox.js';
import type { OutgoingMessage } from '../public.js';

/** All that is left of a message are files that the server has no more. */
const FILES_MISSING = 'files_missing';

/**
 * What becomes of a message when the server does not have its files. A file belongs to the session that it was uploaded in, and
 * waits a day. What the message says and what is still there of its files goes on; the rest stays, and says that it is to be sent
 * again. Nothing when nothing would be left of the message. `pointers`: what the server does not have.
 */
function without(message: QueuedMessage, pointers: readonly string[]): { news: Partial<QueuedMessage>; left: QueuedMessage } | undefined {
  const { attachments: all = [], createdAt, missing: before = [] } = message;
  const named = all.filter((_, at) => pointers.includes(`/attachments/${at}`));
  const missing = named.length ? named : all;
  const attachments = all.filter((file) => !missing.includes(file));
  if (!message.text.trim() && !attachments.length) return undefined;
  return {
    news: { attachments, missing: [...before, ...missing] },
    left: { clientMessageId: crypto.randomUUID(), text: '', metadata: {}, attachments: missing, createdAt, errorCode: FILES_MISSING },
  };
}

type Edit = (change: (queue: QueuedMessage[]) => QueuedMessage[]) => Promise<void>;

/** Sends a message without the files that the server does not have. False when nothing would be left of it. */
export async function goOnWithout(
  message: QueuedMessage,
  pointers: readonly string[],
  waiter: Waiter | undefined,
  edit: Edit,
  told: (message: OutgoingMessage) => void,
): Promise<boolean> {
  const split = without(message, pointers);
  if (!split) return false;
  const { news, left } = split;
  const rest = { ...message, ...news };
  await edit((queue) => queue.flatMap((other) => (other.clientMessageId === message.clientMessageId ? [{ ...other, ...news }, left] : [other])));
  if (waiter) waiter.message = rest;
  told({ ...rest, state: 'sending' });
  told({ ...left, state: 'failed' });
  return true;
}
