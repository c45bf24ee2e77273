import type { Schemas } from '@misy/api-client';
import { type InfiniteData, type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api } from '../../api/client.js';

export type Conversation = Schemas['Conversation'];

/** Which conversations a list shows. */
export interface Which {
  state?: Schemas['HandlingState'];
  mine?: true;
  channel?: Schemas['Channel'];
}

type Pages = InfiniteData<{ items: Conversation[]; nextCursor?: string | null }>;

/** More changed at once than is worth reading one by one. */
const MANY = 20;
/** Changes that come close together are read together. */
const GATHER_MS = 150;

const fits = (which: Which, one: Conversation, me: string): boolean =>
  (which.state === undefined || one.state === which.state) &&
  (which.mine === undefined || one.assignee?.userId === me) &&
  (which.channel === undefined || one.channel === which.channel);

/** Puts a conversation where it belongs in every list that is loaded. */
export function place(queries: QueryClient, tenantId: string, one: Conversation, me: string): void {
  for (const [key, pages] of queries.getQueriesData<Pages>({ queryKey: [tenantId, 'conversations'] })) {
    if (!pages) continue;
    const which = key[2] as Which;
    const without = pages.pages.map((page) => ({ ...page, items: page.items.filter(({ conversationId }) => conversationId !== one.conversationId) }));
    const [first, ...rest] = without;
    if (first && fits(which, one, me)) {
      const at = first.items.findIndex(({ activeAt }) => Date.parse(activeAt) <= Date.parse(one.activeAt));
      const items = [...first.items];
      items.splice(at < 0 ? items.length : at, 0, one);
      queries.setQueryData<Pages>(key, { ...pages, pages: [{ ...first, items }, ...rest] });
    } else {
      queries.setQueryData<Pages>(key, { ...pages, pages: without });
    }
  }
}

/** Follows all conversations of a tenant; whether it does at this moment. */
export function useLive(tenantId: string, me: string): boolean {
  const queries = useQueryClient();
  const [live, setLive] = useState(true);
  useEffect(() => {
    const waiting = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wasLost = false;
    const all = (): void => {
      waiting.clear();
      for (const kind of ['conversations', 'conversation', 'said', 'notes']) void queries.invalidateQueries({ queryKey: [tenantId, kind] });
    };
    const read = async (): Promise<void> => {
      timer = undefined;
      if (waiting.size > MANY) {
        all();
        return;
      }
      const ids = [...waiting];
      waiting.clear();
      await Promise.all(
        ids.map(async (conversationId) => {
          for (const kind of ['said', 'notes']) void queries.invalidateQueries({ queryKey: [tenantId, kind, conversationId] });
          const detail = await api.call('readConversation', { path: { tenantId, conversationId } });
          queries.setQueryData([tenantId, 'conversation', conversationId], detail);
          place(queries, tenantId, detail.conversation, me);
        }),
      );
    };
    const events = new EventSource(`/api/meta-agent/tenants/${encodeURIComponent(tenantId)}/inbox/events`);
    events.addEventListener('ready', () => {
      setLive(true);
      if (wasLost) all();
      wasLost = false;
    });
    events.addEventListener('changed', (event: MessageEvent<string>) => {
      const { conversationIds } = JSON.parse(event.data) as { conversationIds: string[] };
      for (const id of conversationIds) waiting.add(id);
      timer ??= setTimeout(() => void read().catch(all), GATHER_MS);
    });
    events.addEventListener('missed', all);
    events.onerror = () => {
      wasLost = true;
      setLive(false);
    };
    return () => {
      events.close();
      clearTimeout(timer);
    };
  }, [queries, tenantId, me]);
  return live;
}
