import type { Conversation } from './lists.js';

/** Letters as people look for them: without accents, whatever their case. */
const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();

/** Whether each word that somebody looks for stands in what the list shows of a conversation. */
export function isFound(one: Conversation, wanted: string, shown: string): boolean {
  const text = plain([shown, one.contactId, one.newest?.text ?? '', one.assignee?.name ?? ''].join(' '));
  return plain(wanted)
    .split(/\s+/)
    .every((word) => text.includes(word));
}
