import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import './browser-globals.js';
import { FakeIndexedDb } from './fake-indexed-db.js';
import type { Load } from '../src/core/parts.js';

// Before the SDK takes them from the page.
mock.timers.enable({ apis: ['setTimeout'] });
const { Outbox } = await import('../src/core/outbox.js');
const { Store } = await import('../src/core/store.js');
const { makeUp } = await import('../src/core/made-up-for.js');

/** What comes in a file of its own. */
const load = (() => Promise.resolve({ makeUp })) as unknown as Load;

const add = (what: string) => (list: string[] | undefined) => [...(list ?? []), what];
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
};
/** Time goes by, in steps that are short for everybody. */
async function pass(milliseconds: number): Promise<void> {
  for (let gone = 0; gone < milliseconds; gone += 250) {
    mock.timers.tick(250);
    await settled();
  }
}

describe('the store, while IndexedDB does not answer', () => {
  let database: FakeIndexedDb;
  beforeEach(() => {
    database = new FakeIndexedDb();
    Object.defineProperty(globalThis, 'indexedDB', { value: database, configurable: true });
  });
  afterEach(() => Reflect.deleteProperty(globalThis, 'indexedDB'));

  test('goes on in the page, and makes up for it when it answers again, on what another tab has written meanwhile', async () => {
    const store = new Store(load);
    await store.update<string[]>('queue', add('before'));
    const release = database.stall();
    const stalled = store.update<string[]>('queue', add('mine'));
    await pass(2000);
    assert.deepEqual(await stalled, ['before', 'mine']);
    assert.deepEqual(await store.update<string[]>('queue', add('and this')), ['before', 'mine', 'and this']);
    database.values.set('queue', ['before', 'of another tab']);
    release();
    await pass(5000);
    assert.deepEqual(database.values.get('queue'), ['before', 'of another tab', 'mine', 'and this']);
    assert.deepEqual(await store.read('queue'), ['before', 'of another tab', 'mine', 'and this']);
    await store.update<string[]>('queue', add('later'));
    assert.deepEqual((database.values.get('queue') as string[]).at(-1), 'later');
  });

  test('what was begun and came too late is not done as well', async () => {
    const store = new Store(load);
    await store.read('queue');
    const gate = database.gate;
    // It opens, and then the transaction hangs.
    const open = database.open.bind(database);
    let release = (): void => undefined;
    database.open = () => {
      const opening = open();
      void gate.then(() => (release = database.stall()));
      return opening;
    };
    const stalled = store.update<string[]>('queue', add('once'));
    await pass(2000);
    assert.deepEqual(await stalled, ['once']);
    database.open = open;
    // Sent meanwhile, it is in the page no longer.
    await store.update<string[]>('queue', (list) => list?.filter((one) => one !== 'once'));
    release();
    await settled();
    assert.equal(database.values.get('queue'), undefined);
    await pass(5000);
    assert.deepEqual(database.values.get('queue'), []);
  });

  test('a value that the page does not hold yet is waited for: a stall of two seconds forgets no conversation', async () => {
    database.values.set('session', 'ses_known');
    const release = database.stall();
    const read = new Store(load).read('session');
    await pass(2000);
    release();
    assert.equal(await read, 'ses_known');
  });

  test('later changes do not overtake one that waits', async () => {
    const store = new Store(load);
    const release = database.stall();
    const both = Promise.all([store.update<string[]>('queue', add('a')), store.update<string[]>('queue', add('b'))]);
    await pass(4250);
    await both;
    release();
    await pass(5000);
    assert.deepEqual(database.values.get('queue'), ['a', 'b']);
  });

  test('a message that was sent meanwhile is not sent again when its queue is made up for', async () => {
    const store = new Store(load);
    await store.read('queue');
    const release = database.stall();
    const asked: string[] = [];
    const deliver = ({ text }: { text: string }): Promise<{ messageId: string; sequence: number }> => {
      asked.push(text);
      return Promise.resolve({ messageId: 'msg', sequence: 1 });
    };
    const outbox = new Outbox(store, 'queue', deliver, () => undefined, () => undefined, () => Promise.reject(new Error('not needed')));
    const sent = outbox.send('a');
    await pass(2000);
    await sent;
    release();
    await pass(5000);
    assert.deepEqual(database.values.get('queue'), []);
    outbox.flush();
    await pass(1000);
    assert.deepEqual(asked, ['a']);
  });

  test('two tabs that stalled at the same moment lose nothing of each other', async () => {
    const tabs = [new Store(load), new Store(load)];
    const release = database.stall();
    const both = tabs.map((store, index) => store.update<string[]>('queue', add(`tab ${index}`)));
    await pass(4250);
    await Promise.all(both);
    release();
    await pass(9000);
    assert.deepEqual([...(database.values.get('queue') as string[])].sort(), ['tab 0', 'tab 1']);
  });
});
