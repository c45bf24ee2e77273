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

  /** Serves the site with something added to its head and its body, and with a policy that is stricter by something. */
  async function altered(context: BrowserContext, head: string, body = '', stricter = ''): Promise<void> {
    await context.route(`${new URL(stage.site('andina')).origin}/`, async (route) => {
      const response = await route.fetch();
      const html = (await response.text()).replace('<head>', `<head>${head}`).replace('<body>', `<body>${body}`);
      const { 'content-security-policy': policy = '', ...rest } = response.headers();
      const open = policy.replace('script-src', "script-src 'unsafe-inline'").replace('style-src', "style-src 'unsafe-inline'");
      await route.fulfill({ response, body: html, headers: { ...rest, 'content-security-policy': open + stricter } });
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

  const TRUSTED_TYPES = "; require-trusted-types-for 'script'; trusted-types misy";

  test('Trusted Types are required: one policy, named misy, is all that is asked for, and it takes names of our own files only', async () => {
    await stage.asVisitor(async (context) => {
      await altered(context, '', '', TRUSTED_TYPES);
      await context.addInitScript(() => {
        const { trustedTypes } = window as unknown as { trustedTypes: { createPolicy(name: string, rules: object): object } };
        const create = trustedTypes.createPolicy.bind(trustedTypes);
        trustedTypes.createPolicy = (name, rules) => Object.assign(window, { misyPolicy: create(name, rules) }).misyPolicy;
      });
      const chat = await ChatPage.visit(context, stage.site('andina'));
      await answers(chat);
      assert.deepEqual(await cspViolations(chat.page), []);
      const evil = ['https://evil.example/sdk/misy-widget.js', '//evil.example/x.js', 'data:text/javascript,alert(1)', 'widget.js?', '../x', 'constructor', ''];
      const taken = await chat.page.evaluate((addresses) => {
        const { misyPolicy } = window as unknown as { misyPolicy: { createScriptURL(address: string): unknown } };
        return addresses.filter((address) => {
          try {
            misyPolicy.createScriptURL(address);
            return true;
          } catch {
            return false;
          }
        });
      }, evil);
      assert.deepEqual(taken, []);
    });
  });

  describe('elements that go by the name of what the SDK asks the page for', () => {
    const DOCUMENT = ['currentScript', 'head', 'body', 'documentElement', 'readyState', 'hidden', 'activeElement'];
    const CALLS = ['createElement', 'createElementNS', 'createTextNode', 'addEventListener', 'querySelector', 'getElementById'];
    const WINDOW = ['misy', 'misyParts', 'trustedTypes', 'BroadcastChannel', 'navigator', 'indexedDB', 'location'];
    const image = (name: string): string =>
      `<img name="${name}" src="https://evil.example/sdk/misy.js" data-tenant-id="a" data-public-key="b" data-api-origin="https://evil.example">`;
    const form = (name: string): string =>
      `<form id="${name}" name="${name}">${['live', 'widget', 'rich', 'files', 'es', 'init', 'lang', 'append', 'createPolicy', 'src'].map((part) => `<input name="${part}">`).join('')}</form>`;
    const PAGES: [string, string][] = [
      ['pictures', [...DOCUMENT, ...CALLS, ...WINDOW].map(image).join('')],
      ['forms with fields', [...DOCUMENT, ...WINDOW].map(form).join('')],
      ['frames', [...DOCUMENT, ...WINDOW].map((name) => `<iframe name="${name}" srcdoc="<a id=src><a id=widget>"></iframe>`).join('')],
      ['two links of one name', WINDOW.map((name) => `<a id="${name}"></a><a id="${name}" name="widget" href="https://evil.example/"></a>`).join('')],
    ];
    for (const [what, html] of PAGES) {
      test(`${what}: nothing of theirs is run, and the chat answers`, async () => {
        await stage.asVisitor(async (context) => {
          await altered(context, '', html, TRUSTED_TYPES);
          const asked: string[] = [];
          context.on('request', (request) => {
            if (request.url().includes('evil.example') && request.resourceType() !== 'image') asked.push(request.url());
          });
          await answers(await ChatPage.visit(context, stage.site('andina')));
          assert.deepEqual(asked, []);
        });
      });
    }
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

  describe('storage that stalls and comes back', () => {
    /** IndexedDB opens nothing while `stalled` is set in the page; `first`: as long after it was loaded. */
    const stall = (context: BrowserContext, first: number): Promise<unknown> =>
      context.addInitScript((milliseconds) => {
        let waiting: (() => void)[] = [];
        const open: (this: IDBFactory, ...about: [string, number?]) => IDBOpenDBRequest = Reflect.get(IDBFactory.prototype, 'open');
        const state = { stalled: milliseconds > 0 };
        IDBFactory.prototype.open = function (this: IDBFactory, ...about: [string, number?]) {
          if (!state.stalled) return open.apply(this, about);
          const request = {} as { result?: IDBDatabase; onsuccess?: () => void; onupgradeneeded?: () => void };
          waiting.push(() => {
            const real = open.apply(this, about);
            real.onupgradeneeded = () => {
              request.result = real.result;
              request.onupgradeneeded?.();
            };
            real.onsuccess = () => {
              request.result = real.result;
              request.onsuccess?.();
            };
          });
          return request as unknown as IDBOpenDBRequest;
        };
        const answer = (): void => {
          state.stalled = false;
          waiting.forEach((open) => open());
          waiting = [];
        };
        if (milliseconds) setTimeout(answer, milliseconds);
        Object.assign(window, { stallStorage: () => (state.stalled = true), answerStorage: answer });
      }, first);
    const call = (chat: ChatPage, name: 'stallStorage' | 'answerStorage'): Promise<void> =>
      chat.page.evaluate((which) => (window as unknown as Record<string, () => void>)[which]?.(), name);

    test('two seconds while the page loads do not forget the conversation', async () => {
      await stage.visit('andina', async (first, context) => {
        await answers(first);
        await first.page.close();
        await stall(context, 2000);
        const chat = await ChatPage.visit(context, stage.site('andina'));
        await chat.open();
        await eventually(async () => assert.deepEqual(await chat.ownTexts(), [HOURS]));
      });
    });

    test('what is written meanwhile goes out once, from the next page if it must', async () => {
      await stage.asVisitor(async (context) => {
        await stall(context, 0);
        const chat = await ChatPage.visit(context, stage.site('andina'));
        await answers(chat);
        const posted: string[] = [];
        context.on('requestfinished', (request) => {
          if (request.method() === 'POST' && request.url().endsWith('/messages')) posted.push((request.postDataJSON() as { text: string }).text);
        });
        await context.setOffline(true);
        await chat.banner.getByText('Sin conexión').waitFor();
        await call(chat, 'stallStorage');
        await chat.write('Mañana paso a verlos');
        await chat.own.nth(1).waitFor();
        await call(chat, 'answerStorage');
        await eventually(async () => {
          const kept = await chat.page.evaluate(
            () =>
              new Promise<string>((resolve) => {
                const opening = indexedDB.open('misy', 1);
                opening.onsuccess = () => {
                  const reading = opening.result.transaction('state').objectStore('state').getAll() as IDBRequest<unknown[]>;
                  reading.onsuccess = () => {
                    opening.result.close();
                    resolve(JSON.stringify(reading.result));
                  };
                };
              }),
          );
          assert.match(kept, /paso a verlos/);
        });
        await chat.page.close();
        await context.setOffline(false);
        const next = await ChatPage.visit(context, stage.site('andina'));
        await next.open();
        await next.confirmed(2);
        assert.deepEqual(await next.ownTexts(), [HOURS, 'Mañana paso a verlos']);
        assert.equal(posted.length, 1);
      });
    });
  });

  describe('several tabs', () => {
    test('tabs that have not waited for each other are in one session all the same', async () => {
      await stage.asVisitor(async (context) => {
        await context.addInitScript(() => {
          // A lock that has given way: what may take long is under way in both at once.
          const request = (_: string, __: object, task: () => unknown): unknown => task();
          Object.defineProperty(navigator, 'locks', { value: { request } });
        });
        const sessions = new Set<string>();
        context.on('requestfinished', (request) => {
          if (request.method() === 'POST' && request.url().endsWith('/messages')) sessions.add((request.postDataJSON() as { sessionId: string }).sessionId);
        });
        let under = 0;
        let release = (): void => undefined;
        const both = new Promise<void>((resolve) => (release = resolve));
        await context.route('**/api/meta-agent/sessions', async (route) => {
          if (route.request().method() === 'POST') {
            if (++under === 2) release();
            await both;
          }
          await route.continue();
        });
        const tabs = await Promise.all([0, 1].map(() => ChatPage.visit(context, stage.site('andina'))));
        for (const [index, chat] of tabs.entries()) {
          await chat.open();
          await chat.write(`Hola ${index}`);
        }
        for (const chat of tabs) await eventually(async () => assert.deepEqual((await chat.ownTexts()).sort(), ['Hola 0', 'Hola 1']));
        assert.equal(sessions.size, 1);
      });
    });

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
          Object.defineProperty(Document.prototype, 'hidden', { get: () => hidden });
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
