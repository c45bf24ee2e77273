import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserContext } from 'playwright-core';
import { cspViolations } from '../src/browser.js';
import { ChatPage } from '../src/chat-page.js';
import { eventually } from '../src/eventually.js';
import { NEEDS_FAKE, Stage } from '../src/stage.js';

const HOURS = '¿Cuál es el horario de la clínica?';

describe('pages and browsers that get in the way', () => {
  let stage: Stage;
  before(async () => (stage = await Stage.set()));
  after(() => stage.strike());

  /** Serves the site with something added to its head, and with headers of its own. */
  async function altered(context: BrowserContext, head: string, headers: Record<string, string> = {}): Promise<void> {
    await context.route(`${new URL(stage.site('andina')).origin}/`, async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replace('<head>', `<head>${head}`);
      const { 'content-security-policy': policy = '', ...rest } = response.headers();
      const open = policy.replace('script-src', "script-src 'unsafe-inline'").replace('style-src', "style-src 'unsafe-inline'");
      await route.fulfill({ response, body, headers: { ...rest, 'content-security-policy': open, ...headers } });
    });
  }

  const play = (head: string, act: (chat: ChatPage, context: BrowserContext) => Promise<void>): Promise<void> =>
    stage.asVisitor(async (context) => {
      await altered(context, head);
      await act(await ChatPage.visit(context, stage.site('andina')), context);
    });

  async function answers(chat: ChatPage): Promise<void> {
    await chat.open();
    assert.match(await chat.ask(HOURS), /9:30/);
    await chat.confirmed(1);
  }

  describe('style sheets that reach for everything', () => {
    const RULES = [
      'div:empty{display:none}',
      'div:empty{display:none!important;visibility:hidden!important;opacity:0!important}',
      '*{text-transform:uppercase;letter-spacing:9px;visibility:hidden!important;font-size:40px!important}',
      'body>div,html>div{padding:40px!important;background:red!important;transform:scale(2)!important;width:500px;height:500px}',
      'html>*{filter:blur(9px);position:absolute!important;pointer-events:none!important}[data-misy]{display:none!important}',
    ];
    for (const rule of RULES) {
      test(rule, async () => {
        await play(`<style>${rule}</style>`, async (chat) => {
          await answers(chat);
          const seen = await chat.page.evaluate(() => {
            const host = document.querySelector('[data-misy]');
            const bubble = host?.shadowRoot?.querySelector('.bubble');
            if (!host || !bubble) return undefined;
            const { textTransform, letterSpacing, visibility, fontSize } = getComputedStyle(bubble);
            return { textTransform, letterSpacing, visibility, fontSize, boxes: host.getClientRects().length };
          });
          const plain = { textTransform: 'none', letterSpacing: 'normal', visibility: 'visible', fontSize: '15px', boxes: 0 };
          assert.deepEqual(seen, plain);
        });
      });
    }
  });

  describe('pages that replace their body', () => {
    test('the open conversation stays, and goes on', async () => {
      await play('', async (chat) => {
        await answers(chat);
        await chat.page.evaluate(() => {
          const body = document.createElement('body');
          body.innerHTML = '<h1>Another page</h1>';
          document.body.replaceWith(body);
        });
        assert.ok(await chat.panel.isVisible());
        assert.match(await chat.ask('¿Cuánto cuesta una limpieza?'), /38\.000/);
      });
    });

    test('a chat that is swept out of the page comes back as it was', async () => {
      await play('', async (chat) => {
        await answers(chat);
        await chat.page.evaluate(() => document.querySelectorAll('[data-misy]').forEach((one) => one.remove()));
        await chat.panel.waitFor();
        assert.deepEqual(await chat.ownTexts(), [HOURS]);
      });
    });

    test('one that fills an element is in the element that follows it', async () => {
      await play('', async (chat) => {
        await chat.page.evaluate(() => {
          document.body.insertAdjacentHTML('beforeend', '<div id="chat-place"></div>');
          const { misy } = window as unknown as { misy: { connectChat(options: object): unknown } };
          misy.connectChat({ target: '#chat-place' });
        });
        const inline = chat.page.locator('#chat-place [data-misy=inline] .panel');
        await inline.waitFor();
        await chat.page.evaluate(() => {
          const body = document.createElement('body');
          body.innerHTML = '<main><div id="chat-place"></div></main>';
          document.body.replaceWith(body);
        });
        await chat.page.locator('main #chat-place [data-misy=inline] .panel').waitFor();
      });
    });
  });

  describe('browsers that keep nothing', () => {
    const BROWSERS: [string, () => void][] = [
      [
        'locks are refused, as where all site data is blocked',
        () => {
          const refuse = (): Promise<never> => Promise.reject(new DOMException('denied', 'SecurityError'));
          Object.defineProperty(navigator, 'locks', { value: { request: refuse } });
          Object.defineProperty(window, 'indexedDB', {
            get: () => {
              throw new DOMException('denied', 'SecurityError');
            },
          });
        },
      ],
      ['IndexedDB never answers', () => Object.defineProperty(IDBFactory.prototype, 'open', { value: () => ({}) })],
      [
        'there are neither locks nor channels between tabs',
        () => {
          Object.defineProperty(navigator, 'locks', { value: undefined });
          Object.defineProperty(window, 'BroadcastChannel', { value: undefined });
          delete (window as Partial<Window & typeof globalThis>).BroadcastChannel;
        },
      ],
    ];
    for (const [name, spoil] of BROWSERS) {
      test(name, async () => {
        await stage.asVisitor(async (context) => {
          await context.addInitScript(spoil);
          await answers(await ChatPage.visit(context, stage.site('andina')));
        });
      });
    }
  });

  test('Trusted Types are required: one policy, named misy, is all that is asked for', async () => {
    await stage.asVisitor(async (context) => {
      await context.route(`${new URL(stage.site('andina')).origin}/`, async (route) => {
        const response = await route.fetch();
        const { 'content-security-policy': policy = '', ...rest } = response.headers();
        const strict = `${policy}; require-trusted-types-for 'script'; trusted-types misy`;
        await route.fulfill({ response, headers: { ...rest, 'content-security-policy': strict } });
      });
      const chat = await ChatPage.visit(context, stage.site('andina'));
      await answers(chat);
      assert.deepEqual(await cspViolations(chat.page), []);
    });
  });

  describe('what is typed in the chat stays in the chat', () => {
    const LISTENERS = `<script>
      window.heard = [];
      const hear = (event) => {
        const { target } = event;
        if (target instanceof Element && (target.matches('input,textarea') || target.isContentEditable)) return;
        heard.push(event.type + ' ' + event.key);
      };
      for (const type of ['keydown', 'keypress', 'keyup']) {
        addEventListener(type, hear, true);
        document.addEventListener(type, hear, true);
        document.addEventListener(type, hear);
      }
      addEventListener('load', () => addEventListener('keydown', (event) => heard.push('late ' + event.key), true));
    </script>`;
    const heard = (chat: ChatPage): Promise<string[]> => chat.page.evaluate(() => (window as unknown as { heard: string[] }).heard);

    test('one-key shortcuts of the page hear nothing, and those outside of the chat still do', async () => {
      await play(LISTENERS, async (chat) => {
        await chat.open();
        await chat.field.pressSequentially('gracias');
        await chat.page.keyboard.press('Enter');
        await chat.own.first().waitFor();
        await chat.page.keyboard.press('Escape');
        await chat.panel.waitFor({ state: 'hidden' });
        assert.deepEqual(await heard(chat), []);
        await chat.page.evaluate(() => (document.activeElement as HTMLElement).blur());
        await chat.page.keyboard.press('g');
        assert.ok((await heard(chat)).includes('late g'));
      });
    });

    test('a dialog of the page that keeps the focus does not take it from the chat', async () => {
      const trap = `<script>addEventListener('DOMContentLoaded', () => {
        document.body.insertAdjacentHTML('beforeend', '<button id="trap">in the dialog</button>');
        document.addEventListener('focusin', (event) => { if (event.target.id !== 'trap') document.getElementById('trap').focus(); });
      });</script>`;
      await play(trap, async (chat) => {
        await chat.open();
        await chat.field.click();
        await chat.page.keyboard.type('hola');
        assert.equal(await chat.field.inputValue(), 'hola');
      });
    });
  });

  test('Enter that ends a composition sends nothing, in the order of every browser', async () => {
    await play('', async (chat) => {
      await chat.open();
      await chat.field.fill('にほん');
      const press = (isComposing: boolean, code: number): Promise<void> =>
        chat.field.evaluate(
          (field, details) => {
            field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, composed: true, cancelable: true, ...details }));
          },
          { isComposing, keyCode: code },
        );
      await press(true, 229);
      // Safari: the composition has ended, its Enter follows with the code of an input method.
      await press(false, 229);
      assert.equal(await chat.field.inputValue(), 'にほん');
      await press(false, 13);
      assert.equal(await chat.field.inputValue(), '');
    });
  });

  test('the limit of a message counts characters, as the server does', async () => {
    await play('', async (chat) => {
      await chat.open();
      await chat.write('😀'.repeat(4000));
      await chat.confirmed(1);
      await chat.field.fill('😀'.repeat(4001));
      assert.equal(await chat.field.getAttribute('aria-invalid'), 'true');
    });
  });

  test('half a character, as a careless cut leaves it, does not spoil the message', async () => {
    await play('', async (chat) => {
      await chat.open();
      await chat.page.evaluate(async () => {
        const { misy } = window as unknown as { misy: { sendMessage(text: string): Promise<unknown> } };
        await misy.sendMessage('hola \ud83d');
      });
      await chat.confirmed(1);
    });
  });

  test('globals that the page replaces after the SDK was loaded are not used', async () => {
    await play('', async (chat) => {
      await chat.page.evaluate(() => {
        const broken = (): never => {
          throw new Error('the page broke it');
        };
        Object.assign(window, { fetch: broken, setTimeout: broken, clearTimeout: broken });
        JSON.stringify = broken;
        JSON.parse = broken;
        Date.now = () => 0;
        (Array.prototype as unknown as { toJSON: unknown }).toJSON = () => 'an old library';
      });
      await chat.launcher.evaluate((button: HTMLElement) => button.click());
      await chat.field.fill(HOURS);
      await chat.field.press('Enter');
      await chat.answers.first().waitFor();
    });
  });

  describe('several tabs', () => {
    test('a visitor has one stream, and all tabs hear what comes over it', { skip: NEEDS_FAKE }, async () => {
      await stage.visit('andina', async (first, context) => {
        await answers(first);
        const session = stage.fake.lastSession;
        const others: ChatPage[] = [];
        for (let tab = 0; tab < 6; tab++) others.push(await ChatPage.visit(context, stage.site('andina')));
        for (const chat of others) {
          await chat.open();
          await eventually(async () => assert.deepEqual(await chat.ownTexts(), [HOURS]));
        }
        assert.equal(session.streams.size, 1);
        session.add({ role: 'human', parts: [{ type: 'text', text: 'a todas' }] });
        for (const chat of [first, ...others]) await eventually(async () => assert.equal((await chat.answerTexts()).at(-1), 'a todas'));

        // The tab that listens is closed: another one takes over, and nothing is missed.
        await first.page.close();
        session.add({ role: 'human', parts: [{ type: 'text', text: 'y a las que quedan' }] });
        for (const chat of others) await eventually(async () => assert.equal((await chat.answerTexts()).at(-1), 'y a las que quedan'));
        await eventually(() => assert.equal(session.streams.size, 1));
      });
    });

    test('a tab opened in the background holds no stream until it is looked at', { skip: NEEDS_FAKE }, async () => {
      await stage.visit('andina', async (first, context) => {
        await answers(first);
        const session = stage.fake.lastSession;
        await first.page.close();
        await eventually(() => assert.equal(session.streams.size, 0));
        await context.addInitScript(() => {
          let hidden = true;
          Object.defineProperty(document, 'hidden', { get: () => hidden });
          Object.assign(window, {
            show: () => {
              hidden = false;
              document.dispatchEvent(new Event('visibilitychange'));
            },
          });
        });
        const chat = await ChatPage.visit(context, stage.site('andina'));
        await chat.open();
        await eventually(async () => assert.deepEqual(await chat.ownTexts(), [HOURS]));
        assert.equal(session.streams.size, 0);
        await chat.page.evaluate(() => (window as unknown as { show(): void }).show());
        await eventually(() => assert.equal(session.streams.size, 1));
      });
    });
  });
});
