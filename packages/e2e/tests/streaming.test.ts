import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../src/eventually.js';
import { Stage } from '../src/stage.js';

describe('a message that is being written', () => {
  let stage: Stage;
  before(async () => (stage = await Stage.set({ fake: true })));
  after(() => stage.strike());

  test('is seen growing, is not read out piece by piece, takes no focus, and is replaced by the whole', async () => {
    await stage.visit('andina', async (chat) => {
      await chat.open();
      await chat.ask('¿Cuál es el horario de la clínica?');
      const session = stage.fake.lastSession;
      const draft = chat.log.locator('.draft');
      await chat.field.fill('mientras tanto');
      session.tell('typing', { active: true, agentName: 'support' });
      for (const delta of ['La **lim', 'pieza** cuesta ', '$38.000']) session.tell('message.delta', { delta });
      await eventually(async () => assert.equal(await draft.innerText(), 'La limpieza cuesta $38.000'));
      assert.equal(await draft.locator('strong').innerText(), 'limpieza');
      // All that a screen reader is told of it is that somebody writes.
      assert.match(await chat.log.ariaSnapshot(), /está escribiendo/);
      assert.doesNotMatch(await chat.log.ariaSnapshot(), /38\.000/);
      assert.ok(await chat.field.evaluate((field) => (field.getRootNode() as ShadowRoot).activeElement === field));
      assert.equal(await chat.field.inputValue(), 'mientras tanto');
      session.tell('message.delta', { text: 'La **limpieza** cuesta $38.000 y dura' });
      await eventually(async () => assert.match(await draft.innerText(), /dura$/));
      session.add({ role: 'agent', agentName: 'support', parts: [{ type: 'text', text: 'La **limpieza** cuesta $38.000 y dura 45 minutos.' }] });
      await eventually(async () => assert.match((await chat.answerTexts()).at(-1) ?? '', /45 minutos/));
      assert.ok(await chat.log.locator('.typing').isHidden());
      assert.equal(await draft.innerText(), '');
      // What comes next begins anew.
      session.tell('message.delta', { delta: 'Otra' });
      await eventually(async () => assert.equal(await draft.innerText(), 'Otra'));
      // It was given up.
      session.tell('typing', { active: false });
      await chat.log.locator('.typing').waitFor({ state: 'hidden' });
      assert.equal(await chat.answers.count(), 2);
    });
  });

  test('one that says nonsense does no harm', async () => {
    await stage.visit('andina', async (chat) => {
      await chat.open();
      await chat.ask('¿Cuál es el horario de la clínica?');
      const session = stage.fake.lastSession;
      for (const data of [{}, { delta: null }, { text: 7 }, { delta: '<img src=x onerror="window.hacked=1">' }, []]) session.tell('message.delta', data);
      session.tell('hologram', { a: 1 });
      await chat.ask('¿Cuánto cuesta una limpieza?');
      assert.equal(await chat.log.locator('img').count(), 0);
      assert.equal(await chat.page.evaluate(() => 'hacked' in window), false);
    });
  });

  test('a reader further up stays there while it grows', async () => {
    await stage.visit('andina', async (chat) => {
      await chat.open();
      for (let turn = 0; turn < 4; turn++) await chat.ask('¿Cuál es el horario de la clínica?');
      await chat.log.evaluate((log) => (log.scrollTop = 0));
      stage.fake.lastSession.tell('message.delta', { text: 'Una línea\n\n'.repeat(20) });
      await eventually(async () => assert.match(await chat.log.locator('.draft').innerText(), /línea/));
      assert.equal(await chat.log.evaluate((log) => log.scrollTop), 0);
    });
  });

  test('nor does the server’s word that it has a message move whoever reads further up', async () => {
    await stage.visit('andina', async (chat, context) => {
      await chat.open();
      for (let turn = 0; turn < 4; turn++) await chat.ask('¿Cuál es el horario de la clínica?');
      let confirm = (): void => undefined;
      const held = new Promise<void>((resolve) => (confirm = resolve));
      await context.route('**/messages', async (route) => {
        const response = await route.fetch();
        if (route.request().method() === 'POST') await held;
        await route.fulfill({ response });
      });
      // The answer comes over the stream, before the call is answered that asked.
      await chat.ask('¿Cuánto cuesta una limpieza?');
      await chat.log.evaluate((log) => (log.scrollTop = 0));
      confirm();
      await chat.confirmed(5);
      assert.equal(await chat.log.evaluate((log) => log.scrollTop), 0);
    });
  });
});
