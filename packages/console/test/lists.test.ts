import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Conversation, type ListPage, type Loaded, placed, refreshed } from '../src/rooms/inbox/lists.js';

/** Conversations by name and the minute of their last word. */
const talk = (name: string, minute: number, state: Conversation['state'] = 'waiting'): Conversation => ({
  conversationId: name,
  contactId: name,
  channel: 'web',
  erased: false,
  state,
  messages: 1,
  version: 1,
  activeAt: new Date(minute * 60_000).toISOString(),
});

/** A server with these, which gives two to a page. */
function server(all: readonly Conversation[]): { read: (cursor: string) => Promise<ListPage>; asked: string[] } {
  const asked: string[] = [];
  const read = (cursor: string): Promise<ListPage> => {
    asked.push(cursor);
    const from = cursor === '' ? all : all.filter(({ activeAt }) => Date.parse(activeAt) < Number(cursor));
    const items = from.slice(0, 2);
    return Promise.resolve({ items, nextCursor: from.length > 2 ? String(Date.parse(items.at(-1)?.activeAt ?? '')) : null });
  };
  return { read, asked };
}

async function loaded(read: (cursor: string) => Promise<ListPage>, pages: number): Promise<Loaded> {
  const list: Loaded = { pages: [], pageParams: [] };
  let cursor: string | null | undefined = '';
  for (; pages > 0 && typeof cursor === 'string'; pages--) {
    const page: ListPage = await read(cursor);
    list.pages.push(page);
    list.pageParams.push(cursor);
    cursor = page.nextCursor;
  }
  return list;
}

const names = ({ pages }: Loaded): string => pages.flatMap(({ items }) => items.map(({ conversationId, state }) => (state === 'closed' ? `(${conversationId})` : conversationId))).join('');

describe('a list of conversations', () => {
  const before = [talk('a', 9), talk('b', 8), talk('c', 7), talk('d', 6), talk('e', 5)];

  test('is brought up to date by its beginning alone, and loses nobody', async () => {
    const list = await loaded(server(before).read, 2);
    const { read, asked } = server([talk('x', 12), talk('y', 11), ...before]);
    const now = await refreshed(list, new Set(['x', 'y']), read, () => list);
    assert.deepEqual([names(now), asked], ['xyabcd', ['']]);
  });

  test('reads the pages in which something changed, and those alone', async () => {
    const list = await loaded(server(before).read, 3);
    const { read, asked } = server([talk('e', 12), talk('a', 9), talk('b', 8, 'closed'), talk('c', 7), talk('d', 6, 'closed')]);
    const now = await refreshed(list, new Set(['e', 'b', 'd']), read, () => list);
    assert.equal(names(now), 'ea(b)c(d)');
    assert.ok(asked.length <= 4, asked.join());
  });

  test('forgets what does not belong to it any more', async () => {
    const list = await loaded(server(before).read, 1);
    const { read } = server([talk('b', 8)]);
    assert.equal(names(await refreshed(list, new Set(['a']), read, () => list)), 'b');
  });

  test('has a conversation where its last word puts it, if it fits', async () => {
    const list = await loaded(server(before).read, 3);
    assert.equal(names(placed(list, { state: 'waiting' }, talk('d', 8.5), 'me')), 'adbce');
    assert.equal(names(placed(list, { state: 'waiting' }, talk('d', 8.5, 'closed'), 'me')), 'abce');
  });
});
