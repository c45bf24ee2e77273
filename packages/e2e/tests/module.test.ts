import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import type { Message, Misy, MisyEvent, Session } from '../../sdk/src/public.js';
import { eventually } from '../src/eventually.js';
import { NEEDS_FAKE, Stage } from '../src/stage.js';

interface AppWindow {
  misy: Misy;
  start: { tenantId: string; publicKey: string; locale?: string };
  events: MisyEvent[];
}

describe('the ES module on a page of its own', () => {
  let stage: Stage;
  before(async () => (stage = await Stage.set()));
  after(() => stage.strike());

  /** The tenant's page without the script it embeds; the module is loaded instead, under the same policy. */
  async function openApp(context: BrowserContext, lang = 'es-CL'): Promise<Page> {
    await context.route('**/sdk/misy.js', (route) => route.abort());
    const page = await context.newPage();
    await page.goto(stage.site('andina'));
    await page.evaluate(
      async ([address, language]) => {
        document.documentElement.lang = language;
        const { tenantId = '', publicKey = '' } = document.querySelector<HTMLElement>('script[data-public-key]')?.dataset ?? {};
        const { misy } = (await import(address)) as { misy: Misy };
        Object.assign(window, { misy, start: { tenantId, publicKey }, events: [] });
      },
      [`${stage.apiOrigin}/sdk/misy.mjs`, lang] as const,
    );
    return page;
  }

  test('init, getSession, sendMessage and subscribeEvents carry a conversation without a widget', async () => {
    await stage.asVisitor(async (context) => {
      const page = await openApp(context);
      const session = await page.evaluate<Session>(() => {
        const { misy, start, events } = window as unknown as AppWindow;
        misy.init(start);
        misy.subscribeEvents((event) => events.push(event));
        return misy.getSession();
      });
      assert.match(session.sessionId, /^ses_/);
      assert.match(session.conversationId, /^cnv_/);
      assert.equal(session.branding.displayName, 'Clínica Andina');
      const receipt = await page.evaluate(() =>
        (window as unknown as AppWindow).misy.sendMessage('¿Cuál es el horario?', { metadata: { section: 'home' } }),
      );
      assert.match(receipt.messageId, /^msg_/);
      const message = await eventually(async () => {
        const messages = await page.evaluate<Message[]>(() =>
          (window as unknown as AppWindow).events.flatMap((event) => (event.type === 'message' ? event.message : [])),
        );
        const answer = messages.find(({ inReplyTo }) => inReplyTo?.includes(receipt.messageId));
        assert.ok(answer, 'the question is answered');
        return answer;
      });
      assert.equal(message.role, 'agent');
      assert.match(JSON.stringify(message.parts), /9:30/);
      assert.ok(message.sources?.length);
      const states = await page.evaluate(() =>
        (window as unknown as AppWindow).events.flatMap((event) => (event.type === 'outgoing' ? event.message.state : [])),
      );
      assert.deepEqual(states, ['sending', 'sent']);
      assert.equal(await page.locator('[data-misy]').count(), 0, 'no widget unless it is asked for');
    });
  });

  test('connectChat fills an element of the page, and destroy takes it away again', async () => {
    await stage.asVisitor(async (context) => {
      const page = await openApp(context);
      await page.evaluate(async () => {
        const { misy, start } = window as unknown as AppWindow;
        misy.init(start);
        const chat = misy.connectChat({ target: 'main' });
        await chat.ready;
        Object.assign(window, { chat });
      });
      await page.locator('main [data-misy] .panel[role=region]').waitFor();
      assert.equal(await page.locator('[data-misy] .launcher').count(), 0);
      await page.evaluate(() => (window as unknown as { chat: { destroy(): void } }).chat.destroy());
      await page.locator('[data-misy]').waitFor({ state: 'detached' });
    });
  });

  test('errors have a code: not initialised, options missing, text refused, foreign key', async () => {
    await stage.asVisitor(async (context) => {
      const page = await openApp(context);
      const codes = await page.evaluate(async () => {
        const { misy, start } = window as unknown as AppWindow;
        // One after the other, and no function with a name: the page knows nothing of this file's build.
        const calls: (() => unknown)[] = [
          () => misy.getSession(),
          () => misy.init({ tenantId: '', publicKey: '' }),
          async () => {
            misy.init(start);
            await misy.sendMessage('  ');
          },
          () => misy.connectChat({ target: '#nowhere' }),
          async () => {
            misy.init({ ...start, publicKey: 'pk_test_nobody_0000000000000000000000000000' });
            await misy.getSession();
          },
        ];
        const codes: unknown[] = [];
        for (const call of calls) {
          try {
            await call();
            codes.push('none');
          } catch (error) {
            codes.push((error as { code: string }).code);
          }
        }
        return codes;
      });
      assert.deepEqual(codes.slice(0, 4), ['not_initialized', 'invalid_options', 'validation_failed', 'target_not_found']);
      assert.match(String(codes[4]), /^[a-z_]+$/);
      assert.notEqual(codes[4], 'none');
    });
  });

  for (const lang of ['es_CL', 'no language at all', '']) {
    test(`a page whose lang is "${lang}" still gets a session`, async () => {
      await stage.asVisitor(async (context) => {
        const page = await openApp(context, lang);
        const session = await page.evaluate<Session>(() => {
          const { misy, start } = window as unknown as AppWindow;
          misy.init(start);
          return misy.getSession();
        });
        assert.match(session.locale, /^[a-z]{2}/);
      });
    });
  }

  test('a server that is busy is asked again, and the message arrives once', { skip: NEEDS_FAKE }, async () => {
    await stage.asVisitor(async (context) => {
      const page = await openApp(context);
      stage.fake.refuseNextMessage(503, 'unavailable');
      const receipt = await page.evaluate(() => {
        const { misy, start } = window as unknown as AppWindow;
        misy.init(start);
        return misy.sendMessage('hola');
      });
      assert.equal(receipt.sequence, 1);
      assert.deepEqual(stage.fake.lastSession.posts, ['hola']);
    });
  });
});
