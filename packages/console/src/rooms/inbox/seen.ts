import { useCallback, useSyncExternalStore } from 'react';
import { useTenant } from '../../frame/tenant.js';
import type { Conversation } from './lists.js';

/** How many messages of which conversations somebody has seen in this browser. Ids and numbers, and no word of what was said. */
type Seen = Readonly<Record<string, number>>;

/** So many conversations are known; the one that was seen longest ago is forgotten. */
const MOST = 500;
const NOTHING: Seen = {};
const known = new Map<string, Seen>();
const listeners = new Set<() => void>();

const nameOf = (tenantId: string, userId: string): string => `misy-seen.${userId}.${tenantId}`;

function read(name: string): Seen {
  const before = known.get(name);
  if (before) return before;
  let seen = NOTHING;
  try {
    seen = JSON.parse(localStorage.getItem(name) ?? '{}') as Seen;
  } catch {
    // A browser that keeps nothing begins anew with each page.
  }
  known.set(name, seen);
  return seen;
}

function note(name: string, conversationId: string, messages: number): void {
  const before = read(name);
  if ((before[conversationId] ?? 0) >= messages) return;
  const others = Object.entries(before).filter(([id]) => id !== conversationId);
  const seen = Object.fromEntries([...others.slice(1 - MOST), [conversationId, messages]]);
  known.set(name, seen);
  try {
    localStorage.setItem(name, JSON.stringify(seen));
  } catch {
    // It counts for this page then.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What somebody has seen, and how to say that they saw more. */
export function useSeen(): { isUnread: (one: Conversation) => boolean; see: (one: Conversation) => void } {
  const { tenantId, me } = useTenant();
  const { userId } = me.user;
  const name = nameOf(tenantId, userId);
  const seen = useSyncExternalStore(subscribe, () => read(name));
  // Only what waits for this person to do something calls for them.
  const isUnread = useCallback((one: Conversation) => (one.state === 'waiting' || one.assignee?.userId === userId) && one.messages > (seen[one.conversationId] ?? 0), [seen, userId]);
  const see = useCallback((one: Conversation) => note(name, one.conversationId, one.messages), [name]);
  return { isUnread, see };
}
