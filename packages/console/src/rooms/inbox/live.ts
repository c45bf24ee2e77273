import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { api } from '../../api/client.js';
import { follow } from './events.js';
import { type Conversation, type Loaded, type ListPage, placed, refreshed, type Which } from './lists.js';

/** However much happens, lists and the open conversation are read no more often than this. */
const LISTS_EACH_MS = 2000;
const OPEN_EACH_MS = 1000;
/** What no event told is seen within this time. */
const LOOK_EACH_MS = 60_000;
const LOOK_WHILE_LOST_EACH_MS = 15_000;
/** More of a list is not read anew at once. */
const PAGES = 4;

/** A page of a list, as the API has it. */
export const readList = (tenantId: string, which: Which, cursor: string, signal?: AbortSignal): Promise<ListPage> =>
  api.call('listConversations', { path: { tenantId }, query: { ...which, ...(cursor !== '' && { cursor }) }, ...(signal && { signal }) });

/** Puts a conversation where it belongs in every list that is loaded. */
export function place(queries: QueryClient, tenantId: string, one: Conversation, me: string): void {
  for (const [key, list] of queries.getQueriesData<Loaded>({ queryKey: [tenantId, 'conversations'] })) {
    if (list) queries.setQueryData(key, placed(list, key[2] as Which, one, me));
  }
}

/** Follows all conversations of a tenant, and reads `open` by itself; whether it does at this moment. */
export function useLive(tenantId: string, open: string | undefined): boolean {
  const queries = useQueryClient();
  const [live, setLive] = useState(true);
  const now = useRef(open);
  const look = useRef<() => void>(() => undefined);
  useEffect(() => {
    now.current = open;
  }, [open]);
  useEffect(() => {
    const changed = new Set<string>();
    let wasLost = false;
    const lists = atMostEach(LISTS_EACH_MS, async () => {
      const ids = new Set(changed);
      await Promise.all(shown(queries, tenantId).map((key) => refreshList(queries, tenantId, key, ids)));
      for (const id of ids) changed.delete(id);
    });
    const opened = atMostEach(OPEN_EACH_MS, async () => {
      if (now.current !== undefined) await outdate(queries, tenantId, now.current, 'active');
    });
    const all = (): void => {
      opened();
      for (const queryKey of shown(queries, tenantId)) {
        queries.setQueryData<Loaded>(queryKey, (list) => list && { pages: list.pages.slice(0, PAGES), pageParams: list.pageParams.slice(0, PAGES) });
      }
      void queries.invalidateQueries({ queryKey: [tenantId, 'conversations'] });
    };
    look.current = () => {
      lists();
      opened();
    };
    const stop = follow(tenantId, {
      ready: () => {
        setLive(true);
        if (wasLost) all();
        wasLost = false;
      },
      changed: (ids) => {
        for (const id of ids) {
          changed.add(id);
          // Whoever opens it later reads it anew.
          if (id === now.current) opened();
          else void outdate(queries, tenantId, id, 'none');
        }
        lists();
      },
      missed: all,
      lost: () => {
        wasLost = true;
        setLive(false);
      },
    });
    return () => {
      stop();
      lists.stop();
      opened.stop();
    };
  }, [queries, tenantId]);
  useEffect(() => {
    const timer = setInterval(() => look.current(), live ? LOOK_EACH_MS : LOOK_WHILE_LOST_EACH_MS);
    return () => clearInterval(timer);
  }, [live]);
  return live;
}

/** What is known of a conversation is not what it is any more. */
const outdate = (queries: QueryClient, tenantId: string, conversationId: string, refetchType: 'active' | 'none'): Promise<unknown> =>
  Promise.all(['conversation', 'said', 'notes'].map((kind) => queries.invalidateQueries({ queryKey: [tenantId, kind, conversationId], refetchType })));

/** The lists that somebody sees. */
const shown = (queries: QueryClient, tenantId: string): (readonly unknown[])[] =>
  queries
    .getQueryCache()
    .findAll({ queryKey: [tenantId, 'conversations'], type: 'active' })
    .map(({ queryKey }) => queryKey);

async function refreshList(queries: QueryClient, tenantId: string, key: readonly unknown[], changed: ReadonlySet<string>): Promise<void> {
  const list = queries.getQueryData<Loaded>(key);
  // It is being read for the first time.
  if (!list) return;
  const now = (): Loaded => queries.getQueryData<Loaded>(key) ?? list;
  queries.setQueryData(key, await refreshed(list, changed, (cursor) => readList(tenantId, key[2] as Which, cursor), now));
}

/** Does something when it is called for: at once, but never twice within this time, nor twice at once. */
function atMostEach(ms: number, act: () => Promise<void>): { (): void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isBusy = false;
  let calls = 0;
  const run = async (): Promise<void> => {
    isBusy = true;
    const answered = calls;
    const rest = new Promise((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    // What fails is done by whoever calls for it next.
    await act().catch(() => undefined);
    await rest;
    isBusy = false;
    if (calls !== answered) void run();
  };
  const call = (): void => {
    calls++;
    if (!isBusy) void run();
  };
  call.stop = () => {
    isBusy = true;
    clearTimeout(timer);
  };
  return call;
}
