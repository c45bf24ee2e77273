import type { Schemas } from '@misy/api-client';
import type { InfiniteData } from '@tanstack/react-query';

export type Conversation = Schemas['Conversation'];

/** Which conversations a list shows. */
export interface Which {
  state?: Schemas['HandlingState'];
  mine?: true;
  channel?: Schemas['Channel'];
}

export type ListPage = Schemas['Page_Conversation'];

/** A list as far as it is loaded: the newest activity first, each page with the cursor that it was read with. */
export type Loaded = InfiniteData<ListPage, string>;

const fits = (which: Which, one: Conversation, me: string): boolean =>
  (which.state === undefined || one.state === which.state) &&
  (which.mine === undefined || one.assignee?.userId === me) &&
  (which.channel === undefined || one.channel === which.channel);

const isAfter = (one: Conversation, other: Conversation): boolean => Date.parse(one.activeAt) > Date.parse(other.activeAt);

/** The list with a conversation where it belongs, or without it. */
export function placed(list: Loaded, which: Which, one: Conversation, me: string): Loaded {
  const [first, ...rest] = list.pages.map((page) => ({ ...page, items: page.items.filter(({ conversationId }) => conversationId !== one.conversationId) }));
  if (!first) return list;
  const at = first.items.findIndex((other) => !isAfter(other, one));
  const items = [...first.items];
  if (fits(which, one, me)) items.splice(at < 0 ? items.length : at, 0, one);
  return { ...list, pages: [{ ...first, items }, ...rest] };
}

/**
 * The list as it is now: its beginning is read, and the pages that hold one of `changed`. So it costs a call for each page, however much
 * happened in it. What `now` gives is the list when all is read, which may have got more pages meanwhile.
 */
export async function refreshed(list: Loaded, changed: ReadonlySet<string>, read: (cursor: string) => Promise<ListPage>, now: () => Loaded): Promise<Loaded> {
  const holds = (items: readonly Conversation[]): boolean => items.some(({ conversationId }) => changed.has(conversationId));
  const [first] = list.pages;
  if (!first) return list;
  let top = await read('');
  while (top.nextCursor && holds(below(top, first))) {
    const next = await read(top.nextCursor);
    top = { ...next, items: [...top.items, ...next.items] };
  }
  if (!top.nextCursor) return { pages: [top], pageParams: [''] };
  const fresh = new Map<string, ListPage>();
  for (const [at, cursor] of list.pageParams.entries()) {
    if (at > 0 && holds(list.pages[at]?.items ?? [])) fresh.set(cursor, await read(cursor));
  }
  const { pages, pageParams } = now();
  const rest = below(top, first);
  const head = { items: [...top.items, ...rest], nextCursor: rest.length > 0 ? first.nextCursor : top.nextCursor };
  return { pages: once([head, ...pages.slice(1).map((page, at) => fresh.get(pageParams[at + 1] ?? '') ?? page)]), pageParams };
}

/** What of a page that was read before stands below what was read now: newer messages of others have pushed it down. */
function below(top: ListPage, page: ListPage): Conversation[] {
  const last = top.items.at(-1);
  return last ? page.items.filter((one) => !isAfter(one, last) && !top.items.some(({ conversationId }) => conversationId === one.conversationId)) : [];
}

/** Each conversation where it stands first. */
function once(pages: readonly ListPage[]): ListPage[] {
  const seen = new Set<string>();
  const isFirst = ({ conversationId }: Conversation): boolean => !seen.has(conversationId) && seen.add(conversationId).has(conversationId);
  return pages.map((page) => ({ ...page, items: page.items.filter(isFirst) }));
}
