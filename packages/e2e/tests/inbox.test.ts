import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { bearer } from '@misy/api-client';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchBrowser, newVisitor } from '../src/browser.js';
import { ChatPage } from '../src/chat-page.js';
import { DemoSite } from '../src/demo-sites.js';
import { inspect } from '../src/inspect.js';
import { Installation, NO_PROGRAM, type Registered } from '../src/installation.js';
import { enrol } from '../src/people.js';

describe('people answer in the inbox', { skip: NO_PROGRAM }, () => {
  let installation: Installation;
  let browser: Browser;
  let site: DemoSite;
  /** Ends what was begun, the last first: what is left would keep the process from ending, however the tests fared. */
  const endings: (() => Promise<void>)[] = [];
  /** Where Ana, the administrator of andina, is signed in. */
  let office: BrowserContext;

  before(async () => {
    installation = await Installation.start();
    endings.unshift(() => installation.stop());
    const owner = await installation.register();
    const andina: Registered = await installation.api.as(bearer(owner.enrollment.token)).call('createTenant', {
      body: {
        tenantId: 'andina',
        tenantName: 'Clínica Andina',
        contactEmail: 'contacto@andina.example',
        websiteUrl: 'https://andina.example',
        businessIndustry: 'Dental clinic',
      },
    });
    site = await DemoSite.start('andina', andina.publishableKey.key, installation.origin);
    endings.unshift(() => site.stop());
    browser = await launchBrowser();
    endings.unshift(() => browser.close());
    office = await newVisitor(browser, { locale: 'en-US' });
    const page = await office.newPage();
    await enrol(page, andina.enrollment.url, 'Ana Rojas', 'ana@andina.example');
    await page.goto(`${installation.origin}/console/andina/sites/main`);
    await page.getByRole('textbox', { name: 'Origins' }).fill(`https://andina.example\n${site.origin}`);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Undo' }).waitFor();
    await page.close();
  });
  after(async () => {
    for (const end of endings) await end();
  });

  /** The inbox, as Ana sees it. */
  async function inbox(): Promise<Page> {
    const page = await office.newPage();
    await page.goto(`${installation.origin}/console/andina/inbox`);
    await page.getByRole('heading', { level: 1, name: 'Inbox' }).waitFor();
    return page;
  }

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
});
