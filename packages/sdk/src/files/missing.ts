import type { QueuedMessage } from '../core/outbox.js';

/** All that is left of a message are files that the server has no more. */
const FILES_MISSING = 'files_missing';

/**
 * What becomes of a message when the server does not have its files. A file belongs to the session that it was uploaded in, and
 * waits a day. What the message says and what is still there of its files goes on; the rest stays, and says that it is to be sent
 * again. Nothing when nothing would be left of the message. `pointers`: what the server does not have.
 */
export function without(message: QueuedMessage, pointers: readonly string[]): { news: Partial<QueuedMessage>; left: QueuedMessage } | undefined {
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
