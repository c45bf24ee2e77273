import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserContext, BrowserContextOptions } from 'playwright-core';
import { ChatPage } from '../src/chat-page.js';
import { CHAT, picture, violations } from '../src/inspect.js';
import { Stage } from '../src/stage.js';

const HOURS = '¿Cuál es el horario de la clínica?';
const WIDE = { viewport: { width: 1280, height: 800 } };
const NARROW = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
const LOW = { viewport: { width: 1024, height: 420 } };
const LONG = `${'palabra '.repeat(60)}${'sinespacios'.repeat(20)} https://clinicaandina.example/${'ruta/'.repeat(20)}`;

const SCREENS: [string, BrowserContextOptions][] = [
  ['wide', WIDE],
  ['narrow', NARROW],
];

describe('the chat as people see and use it', () => {
  let stage: Stage;
  before(async () => (stage = await Stage.set()));
  after(() => stage.strike());

  for (const [name, screen] of SCREENS) {
    for (const tenant of ['andina', 'verde-cafe', 'northwind-bikes', 'colombiatic']) {
      test(`axe finds nothing wrong on a ${name} screen of ${tenant}: closed, open, in conversation`, async () => {
        const play = async (chat: ChatPage): Promise<void> => {
          // What axe finds wrong with the chat and, through it, with the page around it, which a conversation leaves as it is.
          assert.deepEqual(await violations(chat.page), [], 'closed');
          await chat.open();
          assert.deepEqual(await violations(chat.page), [], 'open');
          await chat.ask('Hola, hello, oi');
          await chat.confirmed(1);
          assert.deepEqual(await violations(chat.page, CHAT), [], 'in conversation');
        };
        await stage.visit(tenant, play, screen);
      });
    }
  }

  test('the keyboard alone is enough, from the page to an answer and back', async () => {
    await stage.visit('andina', async (chat) => {
      const { page, launcher, panel, field, log } = chat;
      const focused = (selector: string): Promise<boolean> =>
        page.evaluate((wanted) => document.querySelector('[data-misy]')?.shadowRoot?.activeElement?.matches(wanted) ?? false, selector);
      for (let stops = 0; !(await focused('.launcher')); stops++) {
        assert.ok(stops < 40, 'the launcher can be reached by Tab');
        await page.keyboard.press('Tab');
      }
      assert.equal(await launcher.getAttribute('aria-expanded'), 'false');
      await page.keyboard.press('Enter');
      await panel.waitFor();
      assert.ok(await focused('textarea'), 'opened, one can write at once');
      assert.equal(await launcher.getAttribute('aria-expanded'), 'true');
      await page.keyboard.type(HOURS);
      await page.keyboard.press('Shift+Enter');
      await page.keyboard.type('Gracias');
      assert.equal(await field.inputValue(), `${HOURS}\nGracias`);
      await page.keyboard.press('Enter');
      assert.equal(await field.inputValue(), '');
      assert.ok(await focused('textarea'), 'sent, one can go on writing');
      await chat.answers.first().waitFor();
      assert.equal(await log.getAttribute('aria-live'), 'polite');
      assert.ok(await log.getAttribute('aria-label'));
      await page.keyboard.press('Escape');
      await panel.waitFor({ state: 'hidden' });
      assert.ok(await focused('.launcher'), 'closed, one is where one was');
    });
  });

  test('on a narrow screen the panel fills it, keeps the keyboard inside and overflows nowhere', async () => {
    const play = async (chat: ChatPage): Promise<void> => {
      const { page } = chat;
      await picture(page, 'narrow-closed');
      await chat.open();
      await picture(page, 'narrow-open');
      assert.deepEqual(await chat.panel.boundingBox(), { x: 0, y: 0, width: 360, height: 740 });
      assert.equal(await chat.panel.getAttribute('aria-modal'), 'true');
      await chat.ask('hola, ¿atienden los sábados y cuánto sale una limpieza?');
      await picture(page, 'narrow-answer');
      await chat.ask(LONG);
      await chat.confirmed(2);
      await picture(page, 'narrow-long');
      assert.deepEqual(await overflowing(chat), []);
      for (let stops = 0; stops < 12; stops++) {
        await page.keyboard.press('Tab');
        assert.ok(await page.evaluate(() => document.activeElement?.matches('[data-misy]')), 'Tab stays in the chat');
      }
    };
    await stage.visit('andina', play, NARROW);
  });

  test('on a wide screen the panel leaves the launcher free and overflows nowhere', async () => {
    await stage.visit('andina', async (chat) => {
      await picture(chat.page, 'wide-closed');
      await chat.open();
      await picture(chat.page, 'wide-open');
      await chat.ask('hola, ¿atienden los sábados y cuánto sale una limpieza?');
      await picture(chat.page, 'wide-answer');
      await chat.ask(LONG);
      await chat.confirmed(2);
      await picture(chat.page, 'wide-long');
      assert.deepEqual(await overflowing(chat), []);
      await assertApart(chat);
    });
  });

  test('on a low screen there is still room to read and to write', async () => {
    const play = async (chat: ChatPage): Promise<void> => {
      await chat.open();
      await chat.ask(HOURS);
      await picture(chat.page, 'low-answer');
      await assertApart(chat);
      const log = await chat.log.boundingBox();
      assert.ok((log?.height ?? 0) >= 120, `${log?.height ?? 0} px are left to read in`);
      const field = await chat.field.boundingBox();
      assert.ok((field?.y ?? 0) + (field?.height ?? 0) <= LOW.viewport.height);
    };
    await stage.visit('andina', play, LOW);
  });

  test('on a page in Arabic the chat speaks Arabic, from right to left, around what the tenant says', async () => {
    const play = async (context: BrowserContext): Promise<void> => {
      await context.route(`${new URL(stage.site('andina')).origin}/`, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: (await response.text()).replace(/<html[^>]*>/, '<html lang="ar" dir="rtl">') });
      });
      const chat = await ChatPage.visit(context, stage.site('andina'));
      await chat.open();
      await chat.ask(HOURS);
      await chat.confirmed(1);
      await picture(chat.page, 'arabic-answer');
      assert.equal(await chat.field.getAttribute('placeholder'), 'اكتب رسالة…');
      assert.equal(await chat.panel.evaluate((panel) => getComputedStyle(panel).direction), 'rtl');
      assert.match(await chat.own.first().locator('.meta').innerText(), /أُرسلت/);
      await chat.write('متى تفتحون؟');
      await chat.confirmed(2);
      const directions = await chat.own.locator('.bubble').evaluateAll((all) => all.map((bubble) => getComputedStyle(bubble).direction));
      assert.deepEqual(directions, ['ltr', 'rtl'], 'each message has the direction of its own words');
      const launcher = await chat.launcher.boundingBox();
      assert.ok((launcher?.x ?? 999) < 100, 'the launcher is on the left');
      assert.deepEqual(await violations(chat.page, CHAT), []);
      assert.deepEqual(await overflowing(chat), []);
    };
    await stage.asVisitor(play, WIDE);
  });

  test('on a dark page the chat is dark, and every text can be read', async () => {
    const play = async (chat: ChatPage): Promise<void> => {
      await chat.page.evaluate(() => document.body.style.setProperty('background', '#14171c'));
      await chat.page.locator('[data-misy] .misy[data-scheme=dark]').waitFor({ state: 'attached' });
      await chat.open();
      await chat.ask(HOURS);
      await chat.confirmed(1);
      await picture(chat.page, 'dark-answer');
      // The site itself was not made for the dark; the chat is what counts.
      assert.deepEqual(await violations(chat.page, CHAT), []);
    };
    await stage.visit('andina', play, WIDE);
  });
});

/** Elements of the chat that are wider than what shows them, and the page if it scrolls sideways. */
function overflowing(chat: ChatPage): Promise<string[]> {
  return chat.page.evaluate(() => {
    const shadow = document.querySelector('[data-misy]')?.shadowRoot;
    const log = shadow?.querySelector('.log');
    const wide = [...(shadow?.querySelectorAll('.panel, .log, .bubble, .sources, .box, .head, .foot') ?? [])]
      .filter((element) => element.scrollWidth > element.clientWidth || element.getBoundingClientRect().right > innerWidth + 0.5)
      .map((element) => `${element.className || element.tagName} ${element.scrollWidth} > ${element.clientWidth}`);
    if (!log) wide.push('no log');
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth > clientWidth ? [...wide, `page ${scrollWidth} > ${clientWidth}`] : wide;
  });
}

async function assertApart(chat: ChatPage): Promise<void> {
  const [panel, launcher] = [await chat.panel.boundingBox(), await chat.launcher.boundingBox()];
  assert.ok(panel && launcher);
  assert.ok(panel.y >= 0, 'the top of the panel is on the screen');
  assert.ok(panel.y + panel.height <= launcher.y || panel.x + panel.width <= launcher.x, 'panel and launcher do not overlap');
}
