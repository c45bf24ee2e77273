import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { newVisitor } from '../src/browser.js';
import { ChatPage } from '../src/chat-page.js';
import { Contact } from '../src/contact.js';
import { DemoSite } from '../src/demo-sites.js';
import { eventually } from '../src/eventually.js';
import { inspect } from '../src/inspect.js';
import { type Installation, NO_PROGRAM } from '../src/installation.js';
import { Office } from '../src/office.js';
import { accept, signIn } from '../src/people.js';

describe('people answer in the inbox', { skip: NO_PROGRAM }, () => {
  let office: Office;
  let installation: Installation;
  let browser: Browser;
  let site: DemoSite;
  let key: string;
  /** Where Luz is, who answers and administers nothing. */
  let desk: BrowserContext;

  before(async () => {
    office = await Office.open();
    ({ installation, browser } = office);
    key = office.andina.publishableKey.key;
    site = await DemoSite.start('andina', key, installation.origin);
    const page = await office.hers.newPage();
    await page.goto(`${installation.origin}/console/andina/sites/main`);
    await page.getByRole('textbox', { name: 'Origins' }).fill(`https://andina.example\n${site.origin}`);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Undo' }).waitFor();
    await page.goto(`${installation.origin}/console/andina/team`);
    await page.getByRole('button', { name: 'Invite' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Name').fill('Luz Mora');
    await form.getByLabel('E-mail address').fill('luz@andina.example');
    await form.getByRole('checkbox', { name: /^Agent/ }).check();
    await form.getByRole('button', { name: 'Invite' }).click();
    const invitation = await page.getByRole('dialog', { name: 'Invitation link' }).locator('code').textContent();
    await page.close();
    desk = await newVisitor(browser, { locale: 'en-US' });
    const hers = await desk.newPage();
    await accept(hers, invitation ?? '', 'Luz Mora');
    await hers.close();
  });
  // What is left would keep the process from ending, however the tests fared.
  after(() => Promise.all([office.close(), site.stop()]));

  const address = (contact?: Contact): string => `${installation.origin}/console/andina/inbox${contact ? `/${contact.conversationId}` : ''}`;

  /** The inbox as somebody sees it, unless Ana does; with the conversation of a contact where one is named. */
  async function inbox(contact?: Contact, who: BrowserContext = office.hers): Promise<Page> {
    const page = await who.newPage();
    await page.goto(address(contact));
    await page.getByRole('heading', { level: 1, name: contact ? /^Visitor/ : 'Inbox' }).waitFor();
    return page;
  }

  /** Somebody who has asked for a person. */
  async function waiting(text = 'Quiero hablar con una persona'): Promise<Contact> {
    const contact = await Contact.at(installation.api, key, site.origin);
    await contact.write(text);
    await eventually(async () => assert.ok((await contact.said()).length > 1));
    return contact;
  }

  const row = (page: Page, { conversationId }: Contact): Locator => page.locator(`.inbox-list a[href$="${conversationId}"]`);

  /** What the tab keeps of what somebody wrote. */
  const kept = (page: Page): Promise<string[]> => page.evaluate(() => Object.keys(sessionStorage).filter((name) => name.startsWith('misy.')));

  /** What people of the tenant have answered, in its order. */
  const answered = async (contact: Contact): Promise<unknown[]> => (await contact.said()).filter(({ role }) => role === 'human').map(({ parts }) => parts[0]?.text);

  /** Somebody who has opened the chat on the clinic's site. */
  async function customer(): Promise<ChatPage> {
    const chat = await ChatPage.visit(await newVisitor(browser, { locale: 'es-CO' }), site.origin);
    await chat.open();
    return chat;
  }

  test('a customer asks for a person, who takes over and gives back, and both read each other', async () => {
    const chat = await customer();
    await chat.ask('Quiero hablar con una persona');

    const page = await inbox();
    await page.getByLabel('Show').selectOption('waiting');
    const rows = page.getByRole('region', { name: 'Conversations' }).getByRole('link');
    await rows.first().click();
    const said = page.getByRole('log', { name: 'Messages' });
    await said.getByText('Quiero hablar con una persona').waitFor();
    await page.getByText('Take it to answer').waitFor();
    await inspect(page, 'inbox-waiting');
    await page.keyboard.press('t');
    await chat.panel.getByText('Ana Rojas · Equipo').waitFor();
    await page.getByLabel('Your reply').waitFor();

    // What is begun is there after a reload, and the other side sees what is sent, and from whom.
    await page.getByLabel('Your reply').fill('Hola, soy Ana');
    await page.reload();
    await page.getByLabel('Your reply').press('Enter');
    await said.getByText('Hola, soy Ana').waitFor();
    await chat.answers.getByText('Hola, soy Ana').waitFor();
    assert.match(await chat.answers.last().locator('.meta').innerText(), /^Ana Rojas · /);
    await chat.write('Gracias, Ana. <b>¿Sigue ahí?</b>');
    await said.getByText('Gracias, Ana. <b>¿Sigue ahí?</b>').waitFor();
    // Whoever comes back is told who answers.
    await chat.page.reload();
    await chat.open();
    await chat.panel.getByText('Ana Rojas · Equipo').waitFor();

    const details = page.getByRole('region', { name: 'Details' });
    if (!(await details.isVisible())) await page.getByRole('button', { name: 'Details' }).click();
    await details.getByRole('textbox', { name: 'Internal note' }).fill('Prefiere que la llamen por la tarde');
    await details.getByRole('button', { name: 'Save note' }).click();
    await details.getByText('Prefiere que la llamen').waitFor();
    await inspect(page, 'inbox-person');
    await details.getByRole('button', { name: 'Close' }).click();
    await inspect(page, 'inbox-open');

    await page.getByRole('button', { name: 'Hand back' }).click();
    await page.getByText('The assistant answers again').waitFor();
    await chat.panel.getByText('Asistente de IA', { exact: true }).waitFor();
    await chat.ask('¿Qué horario tienen?');
    assert.equal(await chat.answers.last().evaluate((element) => element.classList.contains('agent')), true);
    await page.goto(`${installation.origin}/console/andina/inbox`);
    await page.getByText('Choose a conversation').waitFor();
    await inspect(page, 'inbox');
    await page.close();
  });

  test('news come back after the server has refused them, and what was missed is read', async () => {
    const page = await office.hers.newPage();
    let refusals = 0;
    await page.route('**/inbox/events', (route) => (refusals++ < 2 ? route.fulfill({ status: 503, body: '' }) : route.continue()));
    await page.goto(address());
    await page.getByText('Not live at the moment').waitFor();
    const before = await waiting();
    await page.getByText('Not live at the moment').waitFor({ state: 'detached' });
    await row(page, before).waitFor();
    const after = await waiting();
    await row(page, after).waitFor();
    assert.equal(refusals, 3);
    await page.close();
  });

  test('what was sent and did not arrive stays where it was written, in its order, until it does', async () => {
    const [contact, other] = [await waiting(), await waiting()];
    const page = await inbox(contact);
    await page.getByText('Take it to answer').waitFor();
    await page.keyboard.press('t');
    const reply = page.getByLabel('Your reply');
    await reply.waitFor();
    const ids: unknown[] = [];
    let isCut = true;
    await page.route('**/messages', async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      ids.push((route.request().postDataJSON() as { clientMessageId: string }).clientMessageId);
      return isCut ? route.abort() : route.continue();
    });
    for (const text of ['No.', 'Espere, sí.']) {
      await reply.fill(text);
      await reply.press('Enter');
    }
    await page.getByText('The server could not be reached').waitFor();
    await page.getByText('Waits for the one before').waitFor();
    await inspect(page, 'inbox-not-sent');
    // Elsewhere, and on another page, it is still to be sent.
    await row(page, other).click();
    await row(page, contact).getByText('Not sent').waitFor();
    await page.goto(address(contact));
    await page.getByText('Espere, sí.').waitFor();
    isCut = false;
    await page.getByRole('button', { name: 'Send again' }).click();
    await page.getByRole('button', { name: 'Send again' }).waitFor({ state: 'detached' });
    await eventually(async () => assert.deepEqual(await answered(contact), ['No.', 'Espere, sí.']));
    assert.deepEqual([ids.length, ids[0], new Set(ids).size], [3, ids[1], 2]);
    await eventually(async () => assert.deepEqual(await kept(page), []));
    await page.close();
  });

  test('what somebody began to write is nobody else’s', async () => {
    const contact = await waiting();
    const shared = await newVisitor(browser, { locale: 'en-US' });
    const page = await shared.newPage();
    await page.goto(address(contact));
    await signIn(page, office.ana);
    await page.getByText('Take it to answer').waitFor();
    await page.keyboard.press('t');
    await page.getByLabel('Your reply').fill('Su cuenta es');
    await row(page, await waiting()).click();
    await page.getByText('Take it to answer').waitFor();
    await page.goto(address(contact));
    assert.equal(await page.getByLabel('Your reply').inputValue(), 'Su cuenta es');
    await page.getByRole('button', { name: 'Hand back' }).click();
    await page.getByText('The assistant answers again').waitFor();
    await page.getByRole('button', { name: /^Your account/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.waitForURL('**/sign-in?returnTo=/console');
    assert.deepEqual(await kept(page), []);
    // Also where they could not sign out.
    await page.evaluate(() => sessionStorage.setItem('misy.kept.usr_somebody/draft/andina/x', 'Su cuenta es'));
    await page.getByLabel('E-mail address').fill('luz@andina.example');
    await page.getByLabel('Password', { exact: true }).fill('un tigre, dos tigres, tres tigres');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Clínica Andina' }).waitFor();
    await page.goto(address(contact));
    await page.getByText('Take it to answer').waitFor();
    await page.keyboard.press('t');
    assert.equal(await page.getByLabel('Your reply').inputValue(), '');
    assert.deepEqual(await kept(page), []);
    await shared.close();
  });

  test('however much is written, the inbox reads lists now and then, and no conversation but the open one', async () => {
    const [opened, ...others] = await Promise.all(Array.from({ length: 8 }, () => waiting()));
    assert.ok(opened);
    const page = await inbox(opened);
    await page.getByRole('log', { name: 'Messages' }).getByText('Quiero hablar').waitFor();
    const read: string[] = [];
    // All conversations, as they are shown; those who wait are counted beside.
    page.on('request', (request) => read.push(request.url().replace(`${installation.origin}/api/meta-agent/tenants/andina`, '')));
    const start = Date.now();
    for (const text of ['uno', 'dos', 'tres', 'cuatro', 'cinco', 'seis']) await Promise.all(others.map((other) => other.write(text)));
    for (const other of others) await row(page, other).getByText(/seis|equipo/).waitFor();
    const conversations = read.filter((path) => path.includes('/conversations/'));
    assert.deepEqual(conversations.filter((path) => !path.includes(opened.conversationId)), []);
    const lists = read.filter((path) => path === '/conversations').length;
    assert.ok(lists > 0 && lists <= 2 + (Date.now() - start) / 2000, `${lists} lists`);
    await page.close();
  });

  test('of two people who want to do something with a conversation the second is told who was first', async () => {
    const contact = await waiting();
    const [page, hers] = [await inbox(contact), await inbox(contact, desk)];
    await page.route('**/close', async (route) => {
      await hers.getByRole('button', { name: 'Take', exact: true }).click();
      await hers.getByLabel('Your reply').waitFor();
      await route.continue();
    });
    await page.keyboard.press('e');
    await page.getByText('Not done: Luz Mora answers now.').waitFor();
    await page.getByText('Luz Mora answers. You can leave a note.').waitFor();
    await page.unroute('**/close');
    // Who may say who answers can still do it, now that they know, and take it back.
    await page.keyboard.press('e');
    await page.getByText('Conversation closed').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await hers.getByLabel('Your reply').waitFor();
    await page.close();
    await hers.close();
  });

  test('what calls for somebody is marked, counted, and heard by whoever wants that', async () => {
    const page = await office.hers.newPage();
    await page.addInitScript(() => {
      window.AudioContext = class extends AudioContext {
        override createOscillator(): OscillatorNode {
          document.documentElement.dataset.played = String(Number(document.documentElement.dataset.played ?? 0) + 1);
          return super.createOscillator();
        }
      };
    });
    const played = async (): Promise<number> => Number((await page.locator('html').getAttribute('data-played')) ?? 0);
    await page.goto(address());
    const sound = page.getByRole('button', { name: 'Sound when somebody waits' });
    assert.equal(await sound.getAttribute('aria-pressed'), 'false');
    await waiting();
    assert.equal(await played(), 0);
    await sound.click();
    await eventually(async () => assert.equal(await played(), 2));
    const contact = await waiting();
    await row(page, contact).getByText('Unread:').waitFor();
    await eventually(async () => assert.ok((await played()) > 2));
    assert.match(await page.title(), /^\(\d+\+?\) Inbox · Misy$/);
    await inspect(page, 'inbox-unread');
    await row(page, contact).click();
    await row(page, contact).getByText('Unread:').waitFor({ state: 'detached' });
    await page.reload();
    await sound.and(page.locator('[aria-pressed=true]')).click();
    await page.close();
  });

  test('a conversation is found among those that are loaded, and older ones are loaded on the way down', async () => {
    const contact = await waiting();
    const others = await Promise.all(Array.from({ length: 9 }, () => waiting()));
    const page = await inbox(contact);
    const name = (await page.getByRole('heading', { level: 1 }).innerText()).split('\n')[0] ?? '';
    // Pages as they are with many more conversations.
    await page.route(/\/conversations(\?|$)/, (route) => {
      const url = new URL(route.request().url());
      url.searchParams.set('limit', '4');
      return route.continue({ url: url.href });
    });
    await page.goto(address());
    await page.getByRole('searchbox').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type(name.toUpperCase());
    const rows = page.getByRole('region', { name: 'Conversations' }).getByRole('link');
    const older = page.getByRole('button', { name: 'Load older ones' });
    for (;;) {
      await page.getByText(/of \d+ loaded$/).waitFor();
      if (await row(page, contact).isVisible()) break;
      await older.click();
    }
    assert.equal(await rows.count(), 1);
    await inspect(page, 'inbox-search');
    await page.getByRole('searchbox').fill('');
    for (const other of others) await row(page, other).waitFor();
    await page.getByLabel('Show').selectOption('person');
    await page.getByLabel('Answered by').selectOption('Luz Mora');
    await eventually(async () => {
      const holders = await rows.locator('.badge').allInnerTexts();
      assert.deepEqual([...new Set(holders)], ['Luz Mora']);
    });
    await page.close();
  });

  test('nobody ends a conversation over words that they have not seen', async () => {
    const contact = await waiting();
    const page = await inbox(contact);
    await page.getByText('Take it to answer').waitFor();
    await page.keyboard.press('t');
    await page.getByLabel('Your reply').waitFor();
    // The contact writes in the moment in which the button is pressed.
    let words = 0;
    await page.route('**/hand-back', async (route) => {
      if (words++ === 0) await contact.write('Una cosa más');
      await route.continue();
    });
    await page.getByRole('button', { name: 'Hand back' }).click();
    await page.getByText('They have written meanwhile.').waitFor();
    await page.getByRole('log', { name: 'Messages' }).getByText('Una cosa más').waitFor();
    await page.getByRole('button', { name: 'Hand back' }).click();
    await page.getByText('The assistant answers again').waitFor();
    await page.close();
  });
});
