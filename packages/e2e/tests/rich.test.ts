import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserContextOptions } from 'playwright-core';
import { ChatPage } from '../src/chat-page.js';
import { eventually } from '../src/eventually.js';
import { CHAT, picture, violations } from '../src/inspect.js';
import { Stage } from '../src/stage.js';

const NARROW = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

type Part = { type: string } & Record<string, unknown>;
const BUTTONS: Part = {
  type: 'buttons',
  text: '¿A cuál de las dos te refieres?',
  buttons: [
    { id: 'faq-parking', title: '¿Hay estacionamiento para pacientes?' },
    { id: 'faq-hours', title: 'Horario' },
    { id: 'web', title: 'Nuestra web', url: 'https://clinicaandina.example/' },
    { id: 'bad', title: 'Nunca', url: 'javascript:alert(1)' },
  ],
};
const LIST: Part = {
  type: 'list',
  text: 'Estos son los tratamientos más pedidos:',
  button: 'Ver',
  sections: [
    { title: 'Prevención', items: [{ id: 'limpieza', title: 'Limpieza dental', description: '45 minutos, $38.000' }, { id: 'control', title: 'Control' }] },
    { title: 'Estética', items: [{ id: 'blanqueamiento', title: 'Blanqueamiento', description: '60 minutos, $120.000' }] },
  ],
};
const card = (id: string, title: string): Record<string, unknown> => ({
  title,
  text: 'Incluye **todo** lo que hace falta.',
  url: 'https://clinicaandina.example/reservas',
  buttons: [{ id, title: 'Reservar' }],
});
const CAROUSEL: Part = {
  type: 'carousel',
  text: 'Elige una sede:',
  cards: [card('book-a', 'Providencia'), card('book-b', 'Ñuñoa'), card('book-c', 'Las Condes')],
};
const RICH: Part[] = [
  BUTTONS,
  LIST,
  { type: 'card', ...card('book-one', 'Limpieza dental') },
  CAROUSEL,
  { type: 'location', latitude: -33.4263, longitude: -70.6201, name: 'Clínica Andina', address: 'Av. Providencia 1234, Santiago' },
  { type: 'contact', name: 'Dra. Paula Rojas', organization: 'Clínica Andina', phones: ['+56 2 2345 6789'], emails: ['paula@clinicaandina.example'] },
];

describe('what is pressed, with the server that there is', () => {
  let stage: Stage;
  before(async () => (stage = await Stage.set()));
  after(() => stage.strike());

  test('is written there, and said in words where nothing of the kind was sent', async () => {
    await stage.asVisitor(async (context) => {
      const said: unknown[] = [];
      context.on('requestfinished', (request) => {
        if (request.method() === 'POST' && request.url().endsWith('/messages')) said.push(request.postDataJSON());
      });
      // The server's answers, with a question of our own behind each.
      await context.route('**/messages?after=*', async (route) => {
        const response = await route.fetch();
        const page = (await response.json()) as { items: { role: string; parts: unknown[] }[] };
        for (const message of page.items) if (message.role === 'agent') message.parts.push(BUTTONS);
        await route.fulfill({ response, json: page });
      });
      const chat = await ChatPage.visit(context, stage.site('andina'));
      await chat.open();
      await chat.ask('¿Cuál es el horario de la clínica?');
      await chat.page.reload();
      await chat.open();
      // A suggestion may stand in the page until the history is there, with the word in it.
      await chat.panel.getByRole('button', { name: 'Horario', exact: true }).first().click();
      await chat.confirmed(2);
      assert.equal((await chat.ownTexts()).at(-1), 'Horario');
      const [, pressed, inWords] = said as { action?: { id: string }; text?: string }[];
      assert.deepEqual([pressed?.action?.id, pressed?.text], ['faq-hours', undefined]);
      assert.deepEqual([inWords?.action, inWords?.text], [undefined, 'Horario']);
    });
  });
});

describe('messages that are more than text', () => {
  let stage: Stage;
  before(async () => (stage = await Stage.set({ fake: true })));
  after(() => stage.strike());

  /** Opens the chat and has the agent say something that nobody asked for. */
  async function told(chat: ChatPage, ...messages: Part[][]): Promise<void> {
    await chat.open();
    await chat.ask('¿Cuál es el horario de la clínica?');
    for (const parts of messages) stage.fake.lastSession.add({ role: 'agent', agentName: 'support', parts });
    await chat.answers.nth(messages.length).waitFor();
  }

  const button = (chat: ChatPage, name: string): ReturnType<ChatPage['page']['getByRole']> => chat.panel.getByRole('button', { name });

  test('a plain conversation does not load what shows them; the first message that needs it does, once', async () => {
    await stage.asVisitor(async (context) => {
      const loaded: string[] = [];
      context.on('request', (request) => {
        if (request.url().includes('/sdk/')) loaded.push(new URL(request.url()).pathname);
      });
      const chat = await ChatPage.visit(context, stage.site('andina'));
      await told(chat);
      assert.ok(!loaded.includes('/sdk/misy-rich.js'));
      assert.ok(loaded.includes('/sdk/misy-es.js') && !loaded.includes('/sdk/misy-pt.js'), 'one language');
      for (const parts of [[BUTTONS], [LIST]]) stage.fake.lastSession.add({ role: 'agent', parts });
      await button(chat, 'Horario').waitFor();
      await button(chat, 'Limpieza dental').waitFor();
      assert.equal(loaded.filter((name) => name === '/sdk/misy-rich.js').length, 1);
    });
  });

  test('a picture is loaded from the files of the server and from nowhere else, least of all from the page with the visitor\u2019s cookies', async () => {
    await stage.asVisitor(async (context) => {
      const asked: string[] = [];
      context.on('request', (request) => asked.push(request.url()));
      const chat = await ChatPage.visit(context, stage.site('andina'));
      const page = new URL(chat.page.url()).origin;
      const bytes = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64');
      stage.fake.files.stored.set('fil_1', { bytes, mediaType: 'image/png', name: 'x.png', sessionId: '' });
      const files = `${stage.fake.origin}/api/meta-agent/files/`;
      const others = [
        `${page}/account/close?now=1`,
        `${page}/api/meta-agent/files/fil_1`,
        `${files}../tokens/revoke`,
        `${files}%2e%2e/health`,
        `${files}fil_1/../../auth/me`,
        `http://third.example/api/meta-agent/files/fil_1`,
        `https://third.example/x.png`,
      ];
      const image = (url: string, at: number): Part => ({ type: 'image', url, alt: `image ${at}` });
      const card = { type: 'card', title: 'Cuenta', text: 'x', image: { url: `${page}/account/close?now=2`, alt: 'in a card' }, buttons: [] };
      await told(chat, others.map(image), [card, stage.fake.files.part('fil_1')]);
      const pictures = chat.log.locator('.list img');
      await eventually(async () => assert.equal(await pictures.evaluateAll((all) => all.filter((one) => (one as HTMLImageElement).naturalWidth).length), 1));
      assert.equal(await pictures.count(), 1);
      for (const at of others.keys()) await chat.panel.getByRole('link', { name: `image ${at}` }).waitFor();
      const loaded = asked.filter((url) => /now=|third\.example|revoke|health|auth\/me|fil_1/.test(url));
      assert.ok(loaded.length >= 1 && loaded.every((url) => url.startsWith(`${files}fil_1?time=`)), loaded.join());
    });
  });

  test('a button is pressed by key, says what the visitor means, and can be pressed once', async () => {
    await stage.visit('andina', async (chat) => {
      await told(chat, [BUTTONS]);
      const choice = button(chat, 'Horario');
      await choice.focus();
      await chat.page.keyboard.press('Enter');
      await chat.confirmed(2);
      assert.deepEqual((await chat.ownTexts()).at(-1), 'Horario');
      const { action } = stage.fake.lastSession.messages.find((message) => message.action) ?? {};
      assert.equal(action?.id, 'faq-hours');
      assert.equal(action.messageId, stage.fake.lastSession.messages.find(({ parts }) => parts[0]?.type === 'buttons')?.messageId);
      // The focus stays where it was, the others are out of use, and the chosen one says so.
      const focused = await chat.page.evaluate(() => document.querySelector('[data-misy]')?.shadowRoot?.activeElement?.textContent);
      assert.match(focused ?? '', /^Horario/);
      for (const name of ['Horario', 'estacionamiento']) assert.equal(await button(chat, name).getAttribute('aria-disabled'), 'true');
      assert.match((await choice.textContent()) ?? '', /elegido/);
      await chat.page.keyboard.press('Enter');
      await button(chat, 'estacionamiento').click({ force: true });
      await chat.ask('¿Cuánto cuesta una limpieza?');
      assert.equal(stage.fake.lastSession.messages.filter((message) => message.action).length, 1);

      await chat.page.reload();
      await chat.open();
      await eventually(async () => assert.equal(await button(chat, 'Horario').getAttribute('aria-disabled'), 'true'));
      assert.match((await button(chat, 'Horario').textContent()) ?? '', /elegido/);
    });
  });

  test('a link among buttons is followed elsewhere, and one that runs something is not there', async () => {
    await stage.visit('andina', async (chat) => {
      await told(chat, [BUTTONS]);
      const link = chat.panel.getByRole('link', { name: 'Nuestra web' });
      await link.waitFor();
      assert.equal(await link.getAttribute('target'), '_blank');
      assert.match((await link.getAttribute('rel')) ?? '', /noopener noreferrer/);
      assert.equal(await chat.panel.getByText('Nunca').count(), 0);
    });
  });

  test('what is pressed without network waits in the queue and goes out once, as an action', async () => {
    await stage.visit('andina', async (chat, context) => {
      await told(chat, [BUTTONS]);
      await button(chat, 'Horario').waitFor();
      await context.setOffline(true);
      await chat.banner.getByText('Sin conexión').waitFor();
      await button(chat, 'Horario').click();
      await chat.own.nth(1).waitFor();
      assert.equal(await button(chat, 'Horario').getAttribute('aria-disabled'), 'true');
      await context.setOffline(false);
      await chat.confirmed(2);
      assert.deepEqual(stage.fake.lastSession.messages.flatMap(({ action }) => action?.id ?? []), ['faq-hours']);
    });
  });

  test('what can no longer be pressed is said in words instead', async () => {
    await stage.visit('andina', async (chat) => {
      await told(chat, [BUTTONS]);
      await button(chat, 'Horario').waitFor();
      stage.fake.refuseNextMessage(422, 'validation_failed');
      await button(chat, 'Horario').click();
      await chat.confirmed(2);
      const last = stage.fake.lastSession.messages.filter(({ role }) => role === 'contact').at(-1);
      assert.deepEqual([last?.parts[0]?.text, last?.action], ['Horario', undefined]);
    });
  });

  test('of a list one thing is chosen; of cards, each has buttons of its own', async () => {
    await stage.visit('andina', async (chat) => {
      await told(chat, [LIST], [CAROUSEL]);
      await button(chat, 'Blanqueamiento').click();
      await chat.confirmed(2);
      assert.equal(await button(chat, 'Limpieza dental').getAttribute('aria-disabled'), 'true');
      const providencia = chat.panel.getByRole('group', { name: 'Providencia' }).getByRole('button', { name: 'Reservar' });
      const condes = chat.panel.getByRole('group', { name: 'Las Condes' }).getByRole('button', { name: 'Reservar' });
      await providencia.click();
      await condes.click();
      await chat.confirmed(4);
      const pressed = stage.fake.lastSession.messages.flatMap(({ action }) => action?.id ?? []);
      assert.deepEqual(pressed, ['blanqueamiento', 'book-a', 'book-c']);
    });
  });

  test('a kind that this version does not know says its words; one without any says that', async () => {
    await stage.visit('andina', async (chat) => {
      await told(
        chat,
        [{ type: 'hologram', text: 'Mira **esto**', blob: { deep: [1, { a: null }] } }],
        [{ type: 'hologram' }],
        [{ type: 'buttons', text: 'Sin botones', buttons: 'none' }],
        [{ type: 'list', text: 'Sin lista', sections: [null, 3, { items: {} }] }],
        [{ type: 'carousel', cards: [{}, null, 'x'] }],
        [{ type: 'location', latitude: 'north', longitude: {} }],
        [{ type: 'contact', name: 7, phones: 'none' }],
        [{ type: 'image', url: 'javascript:alert(1)', alt: 'Una foto' }],
      );
      await eventually(async () =>
        assert.deepEqual((await chat.answerTexts()).slice(1), [
          'Mira esto',
          'Este contenido no se puede mostrar aquí.',
          'Sin botones',
          'Sin lista',
          'Este contenido no se puede mostrar aquí.',
          'Este contenido no se puede mostrar aquí.',
          'Este contenido no se puede mostrar aquí.',
          'Una foto',
        ]),
      );
    });
  });

  test('markup in titles, names and captions stays text', async () => {
    await stage.visit('andina', async (chat) => {
      const evil = '<img src=x onerror="window.hacked=1">‮gnp';
      await told(
        chat,
        [{ type: 'buttons', text: evil, buttons: [{ id: evil, title: evil }] }],
        [{ type: 'card', title: evil, text: evil, buttons: [{ id: 'x', title: evil }] }],
        [{ type: 'contact', name: evil, phones: [evil], emails: [`${evil}@x`] }],
        [{ type: 'location', name: evil, address: evil, latitude: 1, longitude: 1 }],
        [{ type: 'file', url: 'https://x.example/a.pdf', name: evil }],
      );
      await chat.panel.getByRole('group', { name: evil }).waitFor();
      assert.equal(await chat.log.locator('img').count(), 0);
      assert.equal(await chat.page.evaluate(() => 'hacked' in window), false);
    });
  });

  test('a picture is shown from the files of the server only: nothing else is called for the visitor', async () => {
    await stage.visit('andina', async (chat, context) => {
      const called: string[] = [];
      context.on('request', (request) => called.push(request.url()));
      const site = new URL(stage.site('andina')).origin;
      const pictures = [`${site}/logout?now=1`, `${site}/logo.svg`, `${stage.apiOrigin}/api/meta-agent/auth/sign-out`, `${stage.apiOrigin}/api/meta-agent/files/../logout?x`, 'https://evil.example/pixel.gif'];
      const parts = pictures.map((url) => [{ type: 'image', url, alt: url }, { type: 'card', title: `card ${url}`, image: { url, alt: url } }, { type: 'video', url, name: url }]);
      const before = called.length;
      await told(chat, ...parts);
      for (const url of pictures) {
        await eventually(async () => assert.equal(await chat.log.getByRole('link', { name: url }).count(), 3, url));
      }
      assert.equal(await chat.log.locator('img, video').count(), 0);
      const asked = called.slice(before).filter((url) => /logout|logo\.svg|sign-out|pixel/.test(url));
      assert.deepEqual(asked, []);
    });
  });

  test('where the file that shows them cannot be had, the words are there, and it comes when it can', async () => {
    await stage.asVisitor(async (context) => {
      let lost = true;
      await context.route('**/sdk/misy-rich.js', (route) => (lost ? route.abort() : route.continue()));
      const chat = await ChatPage.visit(context, stage.site('andina'));
      await told(chat, [BUTTONS]);
      assert.equal((await chat.answerTexts()).at(-1), BUTTONS.text);
      lost = false;
      await button(chat, 'Horario').click();
      await chat.confirmed(2);
    });
  });

  const SCREENS: [string, BrowserContextOptions, ((chat: ChatPage) => Promise<void>)?][] = [
    ['wide', {}],
    ['narrow', NARROW],
    ['dark', {}, (chat) => chat.page.evaluate(() => document.body.style.setProperty('background', '#14171c'))],
    ['rtl', {}],
  ];
  for (const [name, screen, change] of SCREENS) {
    test(`axe finds nothing wrong with any of them, and nothing overflows (${name})`, async () => {
      await stage.asVisitor(
        async (context) => {
          if (name === 'rtl') await context.addInitScript(() => document.addEventListener('DOMContentLoaded', () => Object.assign(document.documentElement, { dir: 'rtl' })));
          const chat = await ChatPage.visit(context, stage.site('andina'));
          await change?.(chat);
          await told(chat, ...RICH.map((part) => [part]));
          await chat.panel.getByRole('group', { name: 'Las Condes' }).waitFor();
          await button(chat, 'Horario').click();
          await chat.confirmed(2);
          assert.deepEqual(await violations(chat.page, CHAT), []);
          const wide = await chat.panel.evaluate((panel) =>
            [...panel.querySelectorAll('.log, .bubble, .below, .options, .card, .item, .chip')]
              .filter((element) => element.scrollWidth > element.clientWidth + 1)
              .map((element) => element.className),
          );
          assert.deepEqual(wide, []);
          for (const part of ['.choices', '.options', '.carousel', '.entry']) {
            await chat.log.locator(part).last().scrollIntoViewIfNeeded();
            await picture(chat.page, `rich-${name}${part.replace('.', '-')}`);
          }
        },
        screen,
      );
    });
  }
});
