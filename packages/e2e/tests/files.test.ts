import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserContextOptions } from 'playwright-core';
import { ChatPage } from '../src/chat-page.js';
import { eventually } from '../src/eventually.js';
import { CHAT, picture, violations } from '../src/inspect.js';
import { Stage } from '../src/stage.js';

const NARROW = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
/** A picture of one point. */
const PICTURE = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64');
const PDF = { name: 'presupuesto.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7\n') };
const PHOTO = { name: 'muela.png', mimeType: 'image/png', buffer: PICTURE };

describe('files that a visitor sends', () => {
  let stage: Stage;
  before(async () => (stage = await Stage.set({ fake: true })));
  after(() => stage.strike());

  type Files = { name: string; mimeType: string; buffer: Buffer }[];

  async function choose(chat: ChatPage, files: Files): Promise<void> {
    const chooser = chat.page.waitForEvent('filechooser');
    await chat.panel.locator('.attach').click();
    await (await chooser).setFiles(files);
  }

  const tray = (chat: ChatPage): ReturnType<ChatPage['panel']['locator']> => chat.panel.locator('.files li');
  const ready = (chat: ChatPage): Promise<void> => eventually(async () => assert.equal(await chat.panel.locator('.send').getAttribute('aria-disabled'), 'false'));

  /** Hands files to what listens for them in the page, as a browser does when they are pasted or dropped. */
  async function hand(chat: ChatPage, where: string, event: 'paste' | 'drop', words = ''): Promise<boolean> {
    return chat.panel.locator(where).evaluate(
      (target, [kind, text, picture]) => {
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(atob(picture), (char) => char.charCodeAt(0))], 'image.png', { type: 'image/png' }));
        if (text) data.setData('text/plain', text);
        const details = { bubbles: true, composed: true, cancelable: true };
        return !target.dispatchEvent(
          kind === 'paste' ? new ClipboardEvent('paste', { ...details, clipboardData: data }) : new DragEvent('drop', { ...details, dataTransfer: data }),
        );
      },
      [event, words, PICTURE.toString('base64')] as const,
    );
  }

  test('two are chosen, sent with a text, and seen as what they are, now and after a reload', async () => {
    await stage.visit('andina', async (chat) => {
      await chat.open();
      await choose(chat, [PHOTO, PDF]);
      await ready(chat);
      assert.equal(await tray(chat).count(), 2);
      await chat.write('Esto me duele');
      await chat.confirmed(1);
      assert.equal(await tray(chat).count(), 0);
      const { parts } = stage.fake.lastSession.messages[0] ?? {};
      assert.deepEqual(parts?.map(({ type, name }) => [type, name]), [['text', undefined], ['image', 'muela.png'], ['file', 'presupuesto.pdf']]);
      const seen = async (): Promise<void> => {
        await eventually(async () => assert.equal(await chat.own.locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth), 1));
        assert.equal(await chat.own.locator('img').getAttribute('alt'), 'muela.png');
        await chat.own.getByRole('link', { name: 'presupuesto.pdf' }).waitFor();
        assert.match((await chat.ownTexts()).join(), /Esto me duele/);
      };
      await seen();
      await chat.page.reload();
      await chat.open();
      await seen();
    });
  });

  test('a picture alone is a message; pasted or dropped it is taken, and words on the clipboard stay words', async () => {
    await stage.visit('andina', async (chat) => {
      await chat.open();
      assert.equal(await hand(chat, 'textarea', 'paste'), true);
      await ready(chat);
      assert.equal(await hand(chat, '[role=log]', 'drop'), true);
      await eventually(async () => assert.equal(await tray(chat).count(), 2));
      await ready(chat);
      assert.equal(await hand(chat, 'textarea', 'paste', 'a cell of a sheet'), false);
      await chat.field.press('Enter');
      await chat.confirmed(1);
      assert.deepEqual(stage.fake.lastSession.messages[0]?.parts.map(({ type }) => type), ['image', 'image']);
    });
  });

  test('while one is on its way nothing is sent; it can be dropped, by keys alone', async () => {
    await stage.visit('andina', async (chat, context) => {
      await chat.open();
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      await context.route('**/files', async (route) => {
        await held;
        await route.continue().catch(() => undefined);
      });
      await choose(chat, [PDF]);
      await tray(chat).waitFor();
      await chat.panel.getByRole('progressbar', { name: 'Subiendo presupuesto.pdf' }).waitFor();
      await chat.write('ahora');
      assert.equal(await chat.own.count(), 0);
      await chat.panel.getByRole('button', { name: 'Quitar presupuesto.pdf' }).focus();
      await chat.page.keyboard.press('Enter');
      await tray(chat).waitFor({ state: 'detached' });
      release();
      assert.ok(await chat.field.evaluate((field) => (field.getRootNode() as ShadowRoot).activeElement === field), 'one can go on writing');
      await chat.page.keyboard.press('Enter');
      await chat.confirmed(1);
      assert.deepEqual(stage.fake.lastSession.messages[0]?.parts, [{ type: 'text', text: 'ahora' }]);
    });
  });

  const REFUSALS: [string, RegExp, RegExp, RegExp][] = [
    ['andina', /grande\.pdf es demasiado grande/, /archivos como pagina\.html/, /No se pudo subir presupuesto\.pdf/],
    ['verde-cafe', /grande\.pdf é grande demais/, /arquivos como pagina\.html/, /Não foi possível enviar presupuesto\.pdf/],
    ['northwind-bikes', /grande\.pdf is too large/, /Files like pagina\.html/, /presupuesto\.pdf could not be uploaded/],
  ];
  for (const [tenant, large, odd, lost] of REFUSALS) {
    test(`what is refused says why, and the rest is sent (${tenant})`, async () => {
      await stage.visit(tenant, async (chat, context) => {
        await chat.open();
        const notice = chat.panel.locator('.notice');
        await choose(chat, [{ ...PDF, name: 'grande.pdf', buffer: Buffer.alloc(stage.fake.files.largest + 1, 'a') }]);
        await notice.filter({ hasText: large }).waitFor();
        await choose(chat, [{ name: 'pagina.html', mimeType: 'text/html', buffer: Buffer.from('<script>1</script>') }]);
        await notice.filter({ hasText: odd }).waitFor();
        await context.setOffline(true);
        await choose(chat, [PDF]);
        await notice.filter({ hasText: lost }).waitFor();
        await context.setOffline(false);
        assert.equal(await tray(chat).locator('visible=true').count(), 3);
        await choose(chat, [PHOTO]);
        await ready(chat);
        await chat.field.press('Enter');
        await chat.confirmed(1);
        assert.deepEqual(stage.fake.lastSession.messages[0]?.parts.map(({ name }) => name), ['muela.png']);
      });
    });
  }

  test('what did not arrive before its session ended keeps its words, and says which file to send again', async () => {
    await stage.visit('andina', async (chat, context) => {
      await chat.open();
      await choose(chat, [PHOTO, PDF]);
      await ready(chat);
      await context.setOffline(true);
      await chat.write('Esto me duele');
      await chat.own.locator('.meta', { hasText: 'Esperando' }).waitFor();
      stage.fake.sessions.delete(stage.fake.lastSession.sessionId);
      await context.setOffline(false);
      const left = chat.own.filter({ hasText: 'Envía este archivo otra vez' });
      await left.waitFor();
      await eventually(async () => assert.equal(await chat.own.first().getAttribute('data-state'), 'sent'));
      assert.deepEqual(stage.fake.lastSession.messages[0]?.parts, [{ type: 'text', text: 'Esto me duele' }]);
      assert.deepEqual(await chat.ownTexts(), ['Esto me duele', 'muela.pngpresupuesto.pdf']);
      // A reload forgets nothing of it.
      await chat.page.reload();
      await chat.open();
      await left.waitFor();
      const chooser = chat.page.waitForEvent('filechooser');
      await left.getByRole('button').click();
      await (await chooser).setFiles([PHOTO]);
      await ready(chat);
      assert.equal(await left.count(), 0);
      await chat.field.press('Enter');
      await chat.confirmed(2);
      assert.deepEqual(stage.fake.lastSession.messages.filter(({ role }) => role === 'contact')[1]?.parts.map(({ name }) => name), ['muela.png']);
    });
  });

  test('where the site lets visitors send none, nothing offers it', async () => {
    const { permissions } = stage.fake.desk;
    stage.fake.desk.permissions = ['chat:read', 'chat:write'];
    try {
      await stage.visit('andina', async (chat) => {
        await chat.open();
        assert.equal(await chat.panel.locator('.attach').count(), 0);
        assert.equal(await hand(chat, 'textarea', 'paste'), false);
      });
    } finally {
      stage.fake.desk.permissions = permissions;
    }
  });

  test('a link that has become too old is asked for anew', async () => {
    await stage.visit('andina', async (chat, context) => {
      await chat.open();
      await choose(chat, [PHOTO]);
      await ready(chat);
      await chat.field.press('Enter');
      await chat.confirmed(1);
      // What the history says is old before the picture is asked for.
      await context.route('**/messages?after=0&limit=100', async (route) => {
        const response = await route.fetch();
        stage.fake.files.time++;
        await route.fulfill({ response });
      });
      await chat.page.reload();
      await chat.open();
      await eventually(async () => assert.equal(await chat.own.locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth), 1));
    });
  });

  const SCREENS: [string, BrowserContextOptions][] = [['wide', {}], ['narrow', NARROW], ['dark', {}], ['rtl', {}]];
  for (const [name, screen] of SCREENS) {
    test(`axe finds nothing wrong with files on their way and sent (${name})`, async () => {
      await stage.asVisitor(
        async (context) => {
          if (name === 'rtl') await context.addInitScript(() => document.addEventListener('DOMContentLoaded', () => Object.assign(document.documentElement, { dir: 'rtl', lang: 'ar' })));
          const chat = await ChatPage.visit(context, stage.site('andina'));
          if (name === 'dark') await chat.page.evaluate(() => document.body.style.setProperty('background', '#14171c'));
          await chat.open();
          await choose(chat, [PHOTO, PDF]);
          await ready(chat);
          await chat.field.press('Enter');
          await chat.confirmed(1);
          await choose(chat, [PHOTO, { ...PDF, name: `${'un nombre muy largo '.repeat(6)}.pdf` }, { ...PDF, buffer: Buffer.from('<x>') }]);
          await ready(chat);
          assert.deepEqual(await violations(chat.page, CHAT), []);
          await picture(chat.page, `files-${name}`);
        },
        screen,
      );
    });
  }
});
