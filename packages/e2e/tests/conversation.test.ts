import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ChatPage } from '../src/chat-page.js';
import { eventually } from '../src/eventually.js';
import { Stage } from '../src/stage.js';

const QUESTION = 'hola, ¿atienden los sábados y cuánto sale una limpieza?';

describe('a conversation', () => {
  let stage: Stage;
  before(async () => (stage = await Stage.set()));
  after(() => stage.strike());

  test('a visitor of andina asks two things at once and gets Saturday hours and the price, with sources', async () => {
    await stage.visit('andina', async (chat) => {
      await chat.open();
      const answer = await chat.ask(QUESTION);
      assert.match(answer, /9:30/);
      assert.match(answer, /13:30/);
      assert.match(answer, /\$\s?38\.000/);
      assert.match(await chat.answers.first().locator('.sources').innerText(), /Fuentes?: .+/);
    });
  });

  test('a visitor of verde-cafe is answered in Portuguese from its own pack and in its own colours', async () => {
    await stage.visit('andina', async (andina, context) => {
      const cafe = await ChatPage.visit(context, stage.site('verde-cafe'));
      // The launcher runs from the tenant's colour into a second tone.
      const accent = (chat: ChatPage): Promise<string | undefined> =>
        chat.launcher.evaluate((button) => /rgb\([^)]*\)/.exec(getComputedStyle(button).backgroundImage)?.[0]);
      assert.equal(await accent(cafe), 'rgb(46, 125, 79)');
      assert.equal(await accent(andina), 'rgb(18, 128, 122)');
      await cafe.open();
      const answer = await cafe.ask('Oi! Posso levar meu cachorro?');
      assert.match(answer, /varanda/i);
      const seen = await cafe.panel.innerText();
      assert.match(seen, /Verde Café/);
      assert.doesNotMatch(seen, /Andina|limpieza|38\.000/i);
    });
  });

  test('a reload keeps the history, and a second tab shows the same conversation', async () => {
    await stage.visit('andina', async (chat, context) => {
      await chat.open();
      await chat.ask(QUESTION);
      await chat.confirmed(1);
      const [own, answers] = [await chat.ownTexts(), await chat.answerTexts()];

      await chat.page.reload();
      await chat.open();
      await eventually(async () => assert.deepEqual(await chat.answerTexts(), answers));
      assert.deepEqual(await chat.ownTexts(), own);

      const second = await ChatPage.visit(context, stage.site('andina'));
      await second.open();
      await eventually(async () => assert.deepEqual(await second.answerTexts(), answers));
      assert.deepEqual(await second.ownTexts(), own);

      await second.ask('¿Cuál es el horario de la clínica?');
      await eventually(async () => assert.deepEqual(await chat.answerTexts(), await second.answerTexts()));
      assert.deepEqual(await chat.ownTexts(), await second.ownTexts());
    });
  });
});
