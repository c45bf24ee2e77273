import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import './browser-globals.js';
import type { Message, Session } from '../src/public.js';
import type { LiveFeed as Feed, FeedListener } from '../src/core/live-feed.js';
import type { Load } from '../src/core/parts.js';
import type { Tools } from '../src/core/tools.js';

// What the SDK waits for long holds up no test.
const { setTimeout: timeout } = globalThis;
globalThis.setTimeout = ((act: () => void, milliseconds: number) => {
  const timer = timeout(act, milliseconds);
  return milliseconds > 5000 ? timer.unref() : timer;
}) as typeof setTimeout;

// Locks that have given way: no tab waits for another.
Object.defineProperty(navigator, 'locks', { value: { request: (_: string, __: object, task: () => unknown) => task() } });
Object.defineProperty(globalThis, 'location', { value: new URL('https://site.example/page?secret=1'), configurable: true });

const calls: { path: string; authorization: string | null; answer: (body: object, status?: number) => void }[] = [];
globalThis.fetch = (address, { headers } = {}) =>
  new Promise((resolve) => {
    calls.push({
      path: (address as URL).pathname.replace('/api/meta-agent', ''),
      authorization: new Headers(headers).get('authorization'),
      answer: (body, status = 200) => resolve(Response.json(body, { status })),
    });
  });

// After what they take from the page.
const { Gateway } = await import('../src/core/gateway.js');
const { SessionKeeper } = await import('../src/core/session-keeper.js');
const { Store } = await import('../src/core/store.js');
const { LiveFeed } = await import('../src/core/live-feed.js');
const { Pause } = await import('../src/core/backoff.js');
const { isTransient } = await import('../src/core/problem.js');

/** Nothing here is missed. */
const load: Load = () => Promise.reject(new Error('not needed'));

async function until<T>(look: () => T | undefined): Promise<T> {
  for (let turn = 0; turn < 2000; turn++) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error('it never was so');
}

const site = { tenantId: 'andina', siteId: 'main', publicKey: 'pk', apiOrigin: 'https://api.example' };
const tokenOf = (name: string): object => ({
  token: name,
  signingKey: 'AAAA',
  expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  serverTime: new Date().toISOString(),
});
const sessionOf = (sessionId: string): Session => ({ sessionId }) as Session;

describe('two tabs that have not waited for each other', () => {
  beforeEach(() => void (calls.length = 0));

  test('go on with the token that was stored first', async () => {
    const store = new Store(load);
    const tabs = [0, 1].map(() => new Gateway(site, store, 'tabs'));
    const asked = tabs.map((tab) => tab.json<object>('GET', '/sessions/x'));
    await until(() => calls[1]);
    for (const [index, call] of calls.splice(0).entries()) call.answer(tokenOf(`token-${index}`));
    const both = await until(() => (calls.length === 2 ? calls : undefined));
    assert.deepEqual(both.map(({ authorization }) => authorization), ['Bearer token-0', 'Bearer token-0']);
    both.forEach((call) => call.answer({}));
    await Promise.all(asked);
  });

  test('go on in the session that was stored first', async () => {
    const store = new Store(load);
    const opened: string[] = [];
    const keepers = ['ses_a', 'ses_b'].map((name) => {
      const gateway = { keyspace: 'tabs', json: () => new Promise((resolve) => setTimeout(() => resolve(sessionOf(name)), 5)) };
      return new SessionKeeper(gateway as never, store, undefined, ({ sessionId }) => opened.push(sessionId));
    });
    const both = await Promise.all(keepers.map((keeper) => keeper.current()));
    assert.deepEqual(both.map(({ sessionId }) => sessionId), ['ses_a', 'ses_a']);
    assert.deepEqual(opened, ['ses_a', 'ses_a']);
  });
});

describe('a tab that follows another', () => {
  interface Page {
    path: string;
    answer: (sequences: number[]) => void;
    fail: () => void;
  }
  let feed: Feed;
  let other: BroadcastChannel;
  let current: string;
  const pages: Page[] = [];
  const shown: string[] = [];

  const message = (session: string, sequence: number): Message => ({ messageId: `${session}-${sequence}`, sequence, role: 'agent' }) as Message;
  const told = (sessionId: string, sequence: number): void =>
    other.postMessage({ sessionId, event: { event: 'message', data: JSON.stringify(message(sessionId, sequence)), id: undefined } });
  const page = (part: string): Promise<Page> => until(() => pages.find(({ path }) => path.includes(part)));

  beforeEach(() => {
    pages.length = shown.length = 0;
    current = 's1';
    const tools: Partial<Record<keyof Tools, unknown>> = {
      backoff: () => 1,
      clearTimeout,
      isTransient,
      // The other tab has it.
      lockOfOrigin: (_: string, signal: AbortSignal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
      now: Date.now,
      page: { hidden: false, addEventListener: () => undefined, removeEventListener: () => undefined },
      Pause,
      readJson: JSON.parse,
      setTimeout,
    };
    const gateway = {
      keyspace: `follow-${Math.random()}`,
      json: (_: string, path: string) =>
        new Promise((resolve, reject) => {
          const [, session = ''] = /sessions\/(\w+)/.exec(path) ?? [];
          const answer = (sequences: number[]): void => resolve({ items: sequences.map((sequence) => message(session, sequence)), nextCursor: null });
          pages.push({ path, answer, fail: () => reject(new Error('network')) });
        }),
    };
    const sessions = {
      current: () => Promise.resolve(sessionOf(current)),
      replace: () => {
        current = 's2';
        return Promise.resolve(sessionOf(current));
      },
    };
    const listener: FeedListener = { message: ({ messageId }) => shown.push(messageId), event: () => undefined, online: () => undefined };
    feed = new LiveFeed(tools as unknown as Tools, gateway as never, sessions as never, listener);
    other = new BroadcastChannel(`${gateway.keyspace}|feed`);
    feed.start();
  });

  afterEach(() => {
    feed.stop();
    other.close();
  });

  test('shows nothing of a session that it has left, and misses nothing of the one that it is in', async () => {
    (await page('s1/messages?after=0')).answer([1]);
    await until(() => shown[0]);
    told('s1', 40);
    const late = await page('s1/messages?after=1');
    // The visitor goes on in another session, in another tab.
    told('s2', 1);
    (await page('s2/messages?after=0')).answer([1, 2]);
    await until(() => (shown.includes('s2-2') ? true : undefined));
    late.answer([2, 3, 40]);
    told('s2', 3);
    await until(() => (shown.includes('s2-3') ? true : undefined));
    assert.deepEqual(shown, ['s1-1', 's2-1', 's2-2', 's2-3']);
  });

  test('reads one page at a time, and reads again what it could not read', async () => {
    (await page('s1/messages?after=0')).answer([1]);
    await until(() => shown[0]);
    told('s1', 4);
    told('s1', 5);
    const lost = await page('after=1');
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(pages.length, 2, 'the second waits for the first');
    lost.fail();
    // Both are made up for, whoever asks first.
    const asked = await until(() => (pages.length > 2 ? pages.slice(2) : undefined));
    asked.forEach((one) => one.answer([2, 3, 4, 5]));
    await until(() => (shown.length === 5 ? true : undefined));
    pages.slice(2).forEach((one) => one.answer([]));
    assert.deepEqual(shown, ['s1-1', 's1-2', 's1-3', 's1-4', 's1-5']);
  });
});
