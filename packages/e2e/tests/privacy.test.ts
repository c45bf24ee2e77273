import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Request } from 'playwright-core';
import { ChatPage } from '../src/chat-page.js';
import { cspViolations } from '../src/browser.js';
import { Stage } from '../src/stage.js';

const HOURS = '¿Cuál es el horario de la clínica?';

describe('what a page gives away', () => {
  let stage: Stage;
  before(async () => (stage = await Stage.set()));
  after(() => stage.strike());

  test('the chat breaks no rule of a strict content security policy and writes no style attribute', async () => {
    await stage.asVisitor(async (context) => {
      const complaints: string[] = [];
      context.on('console', (entry) => {
        if (entry.type() === 'error') complaints.push(entry.text());
      });
      context.on('weberror', (error) => complaints.push(error.error().message));
      const chat = await ChatPage.visit(context, stage.site('andina'));
      const policy = (await context.request.get(stage.site('andina'))).headers()['content-security-policy'];
      assert.match(policy ?? '', /default-src 'none'/);
      assert.doesNotMatch(policy ?? '', /unsafe/);
      // Parsing a style attribute is what a policy forbids; markup written by the widget must not hold any.
      await chat.open();
      await chat.ask(HOURS);
      await chat.write('**x** <img src=x onerror="window.hacked=1"> <b style="color:red">y</b>');
      await chat.confirmed(2);
      await chat.page.keyboard.press('Escape');
      assert.deepEqual(await cspViolations(chat.page), []);
      assert.deepEqual(complaints, []);
      assert.equal(await chat.page.evaluate(() => 'hacked' in window), false);
      const markup = await chat.page.locator('[data-misy]').evaluate((host) => host.getAttribute('style'));
      assert.equal(markup, null);
      assert.equal(await chat.log.locator('[style], img, script, b').count(), 0);
    });
  });

  test('every request but the first for a token is signed, and no address carries anything secret', async () => {
    await stage.asVisitor(async (context) => {
      const requests: Request[] = [];
      context.on('request', (request) => {
        if (request.url().startsWith(`${stage.apiOrigin}/api/`)) requests.push(request);
      });
      const chat = await ChatPage.visit(context, stage.site('andina'));
      await chat.open();
      await chat.ask(HOURS);
      const [first, ...others] = requests.filter((request) => request.method() !== 'OPTIONS');
      assert.equal(new URL(first?.url() ?? '').pathname, '/api/meta-agent/tokens');
      assert.equal(await first?.headerValue('authorization'), null);
      assert.match((await first?.headerValue('x-api-key')) ?? '', /^pk_(test|live)_/);
      assert.ok(others.length >= 4, 'a session, the history, the events and a message');
      const nonces = new Set<string | null>();
      for (const request of others) {
        const headers = await request.allHeaders();
        assert.match(headers.authorization ?? '', /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/, request.url());
        assert.match(headers['x-misy-signature'] ?? '', /^v1=[0-9a-f]{64}$/);
        assert.match(headers['x-misy-timestamp'] ?? '', /^\d{10}$/);
        nonces.add(headers['x-misy-nonce'] ?? null);
        assert.equal(headers.cookie, undefined);
        assert.doesNotMatch(request.url(), /token|signature|key|eyJ/i);
      }
      assert.equal(nonces.size, others.length, 'no nonce is used twice');
    });
  });

  test('nothing that the browser keeps holds a key that can be read, nor a secret of the tenant', async () => {
    await stage.asVisitor(async (context) => {
      let signingKey = '';
      context.on('response', (response) => {
        if (!response.url().endsWith('/tokens') || response.status() !== 201) return;
        void response.json().then((body: { signingKey: string }) => (signingKey = body.signingKey));
      });
      const chat = await ChatPage.visit(context, stage.site('andina'));
      await chat.open();
      await chat.ask(HOURS);
      assert.match(signingKey, /^[\w-]{43}$/);
      const kept = await chat.page.evaluate(readStorage);
      assert.deepEqual(kept.keys, [{ extractable: false, usages: ['sign'], type: 'secret' }]);
      const seen = [kept.text, await chat.page.content(), await chat.panel.innerHTML()].join('\n');
      assert.ok(kept.text.length > 100, 'the token and the session are kept');
      assert.ok(!seen.includes(signingKey), 'the signing key is forgotten');
      assert.doesNotMatch(seen, /signingKey|"secret"|sk_(live|test)_|BEGIN [A-Z ]*KEY/);
      assert.deepEqual(await context.cookies(), []);
    });
  });
});

/** Runs in the page: everything it keeps, as text, and what it says of the keys among it. */
async function readStorage(): Promise<{ keys: { extractable: boolean; usages: string[]; type: string }[]; text: string }> {
  const keys: { extractable: boolean; usages: string[]; type: string }[] = [];
  const values: unknown[] = [Object.entries(localStorage), Object.entries(sessionStorage), Object.keys(window)];
  for (const { name = '' } of await indexedDB.databases()) {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const opening = indexedDB.open(name);
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(new Error(name));
    });
    for (const store of database.objectStoreNames) {
      const all = database.transaction(store).objectStore(store).getAll();
      await new Promise((resolve) => (all.onsuccess = resolve));
      values.push(all.result);
    }
    database.close();
  }
  const text = JSON.stringify(values, (_, value: unknown) => {
    if (!(value instanceof CryptoKey)) return value;
    keys.push({ extractable: value.extractable, usages: [...value.usages], type: value.type });
    return 'a key';
  });
  return { keys, text };
}
