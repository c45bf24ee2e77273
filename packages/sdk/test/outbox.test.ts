import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import './browser-globals.js';
import { Outbox, type Deliver, type QueuedMessage } from '../src/core/outbox.js';
import type { Load } from '../src/core/parts.js';
import { Store } from '../src/core/store.js';
import { MisyError, type OutgoingMessage } from '../src/public.js';

/** What comes in a file of its own. */
const load = (() => import('../src/files/missing.js')) as unknown as Load;

/** A delivery that the test lets go forward step by step. */
class Server {
  readonly asked: QueuedMessage[] = [];
  readonly accepted: string[] = [];
  private underWay = 0;
  mostAtOnce = 0;
  refuse: (message: QueuedMessage, tries: number) => MisyError | undefined = () => undefined;

  readonly deliver: Deliver = async (message) => {
    this.asked.push(message);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.underWay);
    await Promise.resolve();
    this.underWay--;
    const error = this.refuse(message, this.asked.filter((other) => other.text === message.text).length);
    if (error) throw error;
    this.accepted.push(message.text);
    return { messageId: `msg_${message.text}`, sequence: this.accepted.length };
  };
}

function setUp(server: Server, store = new Store(load)): { outbox: Outbox; told: OutgoingMessage[]; store: Store } {
  const told: OutgoingMessage[] = [];
  const outbox: Outbox = new Outbox(store, 'queue', server.deliver, (message) => {
    told.push(message);
    // Stands for the network coming back: ends the pause before the next try at once.
    if (message.state === 'queued') setImmediate(() => outbox.flush());
  }, () => undefined, load);
  return { outbox, told, store };
}

describe('the outbox', () => {
  test('sends one message after the other, in the order in which they were written', async () => {
    const server = new Server();
    const { outbox } = setUp(server);
    const receipts = await Promise.all(['a', 'b', 'c'].map((text) => outbox.send(text)));
    assert.deepEqual(server.accepted, ['a', 'b', 'c']);
    assert.deepEqual(receipts.map((receipt) => receipt.sequence), [1, 2, 3]);
    assert.equal(server.mostAtOnce, 1);
    assert.deepEqual(await outbox.queued(), []);
  });

  test('says where a message was sent before, whoever tries again', async () => {
    const store = new Store(load);
    const lost = new Outbox(store, 'queue', async (_, note) => {
      await note('ses_first');
      lost.stop();
      throw new MisyError('network_error');
    }, () => undefined, () => undefined, load);
    void lost.send('a');
    const server = new Server();
    const { outbox } = setUp(server, store);
    while ((await outbox.queued())[0]?.sessionId !== 'ses_first') await new Promise(setImmediate);
    outbox.flush();
    while ((await outbox.queued()).length) await new Promise(setImmediate);
    assert.deepEqual(server.asked.map((message) => [message.text, message.sessionId]), [['a', 'ses_first']]);
  });

  test('tries again with the same id and lets nothing overtake', async () => {
    const server = new Server();
    server.refuse = (message, tries) => (message.text === 'a' && tries < 3 ? new MisyError('network_error') : undefined);
    const { outbox, told } = setUp(server);
    await Promise.all(['a', 'b'].map((text) => outbox.send(text)));
    assert.deepEqual(server.asked.map((message) => message.text), ['a', 'a', 'a', 'b']);
    assert.equal(new Set(server.asked.slice(0, 3).map((message) => message.clientMessageId)).size, 1);
    assert.deepEqual(
      told.filter((message) => message.text === 'a').map((message) => message.state),
      ['sending', 'queued', 'queued', 'sent'],
    );
  });

  test('sets a refused message aside, goes on, and sends it again when asked to', async () => {
    const server = new Server();
    server.refuse = (message, tries) => (message.text === 'bad' && tries < 2 ? new MisyError('conflict', 409) : undefined);
    const { outbox } = setUp(server);
    const [bad, good] = await Promise.allSettled([outbox.send('bad'), outbox.send('good')]);
    assert.equal(bad.status === 'rejected' && (bad.reason as MisyError).code, 'conflict');
    assert.equal(good.status, 'fulfilled');
    const [left] = await outbox.queued();
    assert.equal(left?.errorCode, 'conflict');
    await outbox.retry(left.clientMessageId);
    assert.deepEqual(server.accepted, ['good', 'bad']);
    assert.deepEqual(await outbox.queued(), []);
  });

  const file = (fileId: string): { fileId: string; mediaType: string; size: number; name: string } => ({ fileId, mediaType: 'image/png', size: 1, name: `${fileId}.png` });

  test('goes on without files that the server has no more, keeps the words, and says which are to be sent again', async () => {
    const server = new Server();
    server.refuse = ({ attachments = [] }) => {
      const missing = attachments.flatMap(({ fileId }, at) => (fileId === 'old' ? [`/attachments/${at}`] : []));
      return missing.length ? new MisyError('validation_failed', 422, { missing: ['/attachments', ...missing] }) : undefined;
    };
    const { outbox, told } = setUp(server);
    const receipt = await outbox.send('words', { attachments: [file('new'), file('old')] });
    assert.deepEqual(receipt.missing, [file('old')]);
    assert.deepEqual(server.accepted, ['words']);
    assert.deepEqual(server.asked.at(-1)?.attachments, [file('new')]);
    const [left] = await outbox.queued();
    assert.deepEqual([left?.text, left?.attachments, left?.errorCode], ['', [file('old')], 'files_missing']);
    assert.ok(told.some(({ state, errorCode }) => state === 'failed' && errorCode === 'files_missing'));
    await outbox.drop(left?.clientMessageId ?? '');
    assert.deepEqual(await outbox.queued(), []);
    // Nothing but files: the whole of it waits for the visitor.
    await assert.rejects(outbox.send('', { attachments: [file('old')] }), { code: 'files_missing' });
    assert.equal((await outbox.queued())[0]?.errorCode, 'files_missing');
  });

  test('sends what an earlier page left behind', async () => {
    const store = new Store(load);
    const left = { clientMessageId: 'one', text: 'left', metadata: {}, createdAt: '2026-01-01T00:00:00Z' };
    await store.update('queue', () => [left]);
    const server = new Server();
    const { outbox } = setUp(server, store);
    await outbox.send('new');
    assert.deepEqual(server.accepted, ['left', 'new']);
    assert.equal(server.asked[0]?.clientMessageId, 'one');
  });

  test('asks for the receipt again when another tab has sent the message', async () => {
    const server = new Server();
    const { outbox, store } = setUp(server);
    server.refuse = (_, tries) => {
      if (tries > 1) return undefined;
      void store.update('queue', () => []);
      return new MisyError('network_error');
    };
    assert.equal((await outbox.send('a')).messageId, 'msg_a');
    assert.equal(server.asked.length, 2);
  });

  test('leaves the receipt to the tab that wrote the message, which does not send it anew', async () => {
    const writer = new Server();
    writer.refuse = () => new MisyError('network_error');
    const store = new Store(load);
    const told: OutgoingMessage[] = [];
    const writing: Outbox = new Outbox(store, 'queue', writer.deliver, (message) => told.push(message), () => 'ses_one', load);
    const sent = writing.send('a');
    while (!writer.asked.length) await new Promise(setImmediate);
    const server = new Server();
    const { outbox } = setUp(server, store);
    await outbox.send('b');
    assert.deepEqual(server.accepted, ['a', 'b']);
    writing.flush();
    assert.equal((await sent).messageId, 'msg_a');
    assert.equal(writer.asked.length, 1);
    assert.deepEqual(told.at(-1)?.receipt, { messageId: 'msg_a', sequence: 1 });
    const stored = await store.read<QueuedMessage[]>('queue');
    assert.deepEqual(stored?.map(({ text }) => text), [''], 'its words are kept no longer');
    assert.deepEqual(await outbox.queued(), []);
  });

  test('keeps few receipts of tabs that are gone', async () => {
    const store = new Store(load);
    const left = Array.from({ length: 30 }, (_, index) => ({ clientMessageId: `c${index}`, text: `t${index}`, metadata: {}, createdAt: '' }));
    await store.update('queue', () => left);
    const { outbox } = setUp(new Server(), store);
    await outbox.send('mine');
    assert.equal((await store.read<QueuedMessage[]>('queue'))?.length, 20);
  });

  test('writes down with a message the session that it was written in, and nothing that cannot be written', async () => {
    const store = new Store(load);
    const outbox: Outbox = new Outbox(store, 'queue', () => new Promise(() => undefined), () => undefined, () => 'ses_now', load);
    void outbox.send('a', { metadata: { page: 'home', click: () => undefined } });
    while (!(await outbox.queued()).length) await new Promise(setImmediate);
    const [queued] = await outbox.queued();
    assert.deepEqual([queued?.sessionId, queued?.metadata], ['ses_now', { page: 'home' }]);
    outbox.stop();
  });

  for (const [what, text] of [['an empty text', ' \n'], ['a text over the limit', 'x'.repeat(4001)]] as const) {
    test(`does not take ${what}`, async () => {
      const { outbox } = setUp(new Server());
      await assert.rejects(outbox.send(text), { code: 'validation_failed' });
    });
  }
});
