import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { FakeGraph } from '../src/fake-graph.js';
import { inspect, NARROW } from '../src/inspect.js';
import { NO_PROGRAM } from '../src/installation.js';
import { heading, Office } from '../src/office.js';

describe('people connect channels in the console', { skip: NO_PROGRAM }, () => {
  let graph: FakeGraph;
  let office: Office;

  before(async () => {
    graph = await FakeGraph.start();
    office = await Office.open({ settings: { MISY_GRAPH_URL: graph.url, MISY_EGRESS_ALLOW_LOOPBACK: 'on' } });
  });
  after(() => Promise.all([graph.stop(), office.close()]));

  const rowOf = (page: Page, name: string): Locator => page.getByRole('row', { name: new RegExp(name) });

  /** Does something with an account, by its menu. */
  async function act(page: Page, name: string, deed: string): Promise<void> {
    await page.getByRole('button', { name: `Actions for ${name}`, exact: true }).click();
    await page.getByRole('menuitem', { name: deed }).click();
  }

  /** The form of a channel. */
  async function form(page: Page, kind: string): Promise<Locator> {
    await page.getByRole('button', { name: 'Connect a channel' }).click();
    await page.getByRole('dialog').getByRole('button', { name: kind }).click();
    return page.getByRole('dialog', { name: kind });
  }

  /** Takes what the vendor must be told, which is shown once. */
  async function told(page: Page): Promise<{ address: string; token: string }> {
    const once = page.getByRole('dialog', { name: 'Connected: now, at Meta' });
    const refused = page.getByRole('dialog').getByRole('alert');
    await once.or(refused).first().waitFor();
    assert.equal(await refused.count(), 0, await refused.allInnerTexts().then(String));
    const [address = '', token = ''] = await once.locator('code').allTextContents();
    await once.getByLabel('I have kept it').check();
    await once.getByRole('button', { name: 'Done' }).click();
    return { address, token };
  }

  /** What the vendor's first call to an address is answered. */
  async function proof(address: string, token: string): Promise<string> {
    const asked = new URL(new URL(address).pathname, office.installation.origin.replace('localhost', '127.0.0.1'));
    asked.search = new URLSearchParams({ 'hub.mode': 'subscribe', 'hub.verify_token': token, 'hub.challenge': '4711' }).toString();
    return (await fetch(asked)).text();
  }

  test('a number of WhatsApp is connected, checked, paused, renewed and disconnected', async () => {
    const page = await office.room('Channels', '/channels');
    await page.getByText('There are no channels yet').waitFor();
    await inspect(page, 'console-channels-none');
    // By keys alone: the first of the kinds has the focus, or the button that closes the dialog before it.
    await page.getByRole('button', { name: 'Connect a channel' }).press('Enter');
    const kinds = page.getByRole('dialog', { name: 'What do you want to connect?' });
    await kinds.waitFor();
    await inspect(page, 'console-channel-kinds');
    await kinds.getByRole('button', { name: 'WhatsApp' }).press('Enter');
    const fields = page.getByRole('dialog', { name: 'WhatsApp' });
    await fields.getByRole('button', { name: 'Connect', exact: true }).click();
    await fields.locator('input[aria-invalid=true]:focus').waitFor();
    await fields.getByLabel('Name').fill('Reception');
    await fields.getByLabel('Phone number id').fill(graph.phoneNumberId);
    await fields.getByLabel('WhatsApp Business account id').fill(graph.businessAccountId);
    await fields.getByLabel('Access token').fill(graph.token);
    await fields.getByLabel('App secret').fill('of another app');
    await fields.getByLabel(/^Template to begin again/).fill('we_have_an_answer');
    await fields.getByLabel('Language of the template').fill('es_CO');
    await fields.getByRole('button', { name: 'Connect', exact: true }).click();
    await fields.getByText('Must be 1 to 1000 visible characters').waitFor();
    await fields.getByLabel('App secret').fill('another_app');
    await fields.getByRole('button', { name: 'Connect', exact: true }).click();
    await fields.getByText('Is not the secret of the app that the token belongs to').waitFor();
    assert.ok(await fields.getByLabel('App secret').evaluate((field) => field === document.activeElement && field.getAttribute('type') === 'password'));
    await inspect(page, 'console-channel-whatsapp');
    await fields.getByLabel('App secret').fill(graph.appSecret);
    await fields.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.getByRole('dialog', { name: 'Connected: now, at Meta' }).waitFor();
    await inspect(page, 'console-channel-connected');
    const { address, token } = await told(page);
    assert.match(address, /\/channels\/whatsapp\/cha_\w+\/webhook$/);
    assert.equal(await proof(address, token), '4711');

    const row = rowOf(page, 'Reception');
    await row.getByText('Active').waitFor();
    await row.getByRole('button', { name: 'Check now: Reception' }).click();
    await row.getByText('It works').waitFor();
    graph.token = 'EAAthenexttoken';
    await act(page, 'Reception', 'Check now');
    await row.getByText('Meta does not let it in: renew its access. (code 190 of Meta)').waitFor();
    await inspect(page, 'console-channel-refused');
    await act(page, 'Reception', 'Renew access');
    const renewal = page.getByRole('dialog', { name: 'Renew access: Reception' });
    await renewal.getByLabel(/^Access token/).fill('EAAawrongone');
    await renewal.getByRole('button', { name: 'Renew access' }).click();
    await renewal.getByText('The vendor does not let in whoever has this token').waitFor();
    await inspect(page, 'console-channel-renew');
    await renewal.getByLabel(/^Access token/).fill(graph.token);
    await renewal.getByRole('button', { name: 'Renew access' }).click();
    await page.getByText('Access renewed').waitFor();
    await act(page, 'Reception', 'Check now');
    await row.getByText('It works').waitFor();

    await act(page, 'Reception', 'Pause');
    await row.getByText('Paused').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await row.getByText('Active').waitFor();
    await act(page, 'Reception', 'Disconnect');
    await inspect(page, 'console-channel-disconnect');
    await page.getByRole('dialog', { name: 'Disconnect Reception?' }).getByRole('button', { name: 'Disconnect' }).click();
    await row.getByText('Disconnected').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await row.getByText('Active').waitFor();

    await act(page, 'Reception', 'Change');
    const change = page.getByRole('dialog', { name: 'Reception' });
    await change.getByLabel('Name').fill('Front desk');
    await change.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Front desk', exact: true }).click();
    const details = page.getByRole('dialog', { name: 'Front desk' });
    assert.equal(await details.locator('pre code').textContent(), address);
    await details.getByText('Nothing to deliver yet').waitFor();
    await inspect(page, 'console-channel-details');
    // What is secret is shown nowhere again.
    await page.reload();
    await page.getByRole('button', { name: 'Front desk', exact: true }).click();
    await details.locator('pre code').waitFor();
    const seen = await page.content();
    for (const secret of [token, graph.token, graph.appSecret]) assert.ok(!seen.includes(secret));
    await page.close();
  });

  test('a page of Messenger and its account of Instagram are connected with the token of the page', async () => {
    const page = await office.room('Channels', '/channels');
    const messenger = await form(page, 'Messenger');
    await messenger.getByLabel('Name').fill('Our page');
    await messenger.getByLabel('Page id').fill('300000000000009');
    await messenger.getByLabel('Token of the page').fill(graph.token);
    await messenger.getByLabel('App secret').fill(graph.appSecret);
    await messenger.getByRole('button', { name: 'Connect', exact: true }).click();
    await messenger.getByText('The vendor does not confirm that it is yours').waitFor();
    assert.ok(await messenger.getByLabel('Page id').evaluate((field) => field === document.activeElement));
    await messenger.getByLabel('Page id').fill(graph.pageId);
    await messenger.getByLabel('Meta has approved the feature Human Agent for the app').check();
    await inspect(page, 'console-channel-messenger');
    await messenger.getByRole('button', { name: 'Connect', exact: true }).click();
    const ofPage = await told(page);
    assert.equal(await proof(ofPage.address, ofPage.token), '4711');
    await page.getByRole('button', { name: 'Our page', exact: true }).click();
    await page.getByRole('dialog', { name: 'Our page' }).getByText('up to seven days').waitFor();
    await page.getByRole('button', { name: 'Close' }).last().click();
    await act(page, 'Our page', 'Change');
    const change = page.getByRole('dialog', { name: 'Our page' });
    await change.getByLabel('Meta has approved the feature Human Agent for the app').uncheck();
    await change.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Account saved').waitFor();
    await page.getByRole('button', { name: 'Our page', exact: true }).click();
    await page.getByRole('dialog', { name: 'Our page' }).getByText('up to 24 hours').waitFor();
    await page.getByRole('button', { name: 'Close' }).last().click();

    const instagram = await form(page, 'Instagram');
    await instagram.getByLabel('Name').fill('Our pictures');
    await instagram.getByLabel('Instagram account id').fill(graph.instagramId);
    await instagram.getByLabel('Token of the page').fill(graph.token);
    await instagram.getByLabel('App secret').fill(graph.appSecret);
    await instagram.getByRole('button', { name: 'Connect', exact: true }).click();
    const ofPictures = await told(page);
    assert.notEqual(ofPictures.address, ofPage.address);
    await rowOf(page, 'Our pictures').getByRole('button', { name: 'Check now' }).click();
    await rowOf(page, 'Our pictures').getByText('It works').waitFor();
    await page.close();
  });

  test('a program of the tenant gets a secret once, and another one that takes over', async () => {
    const page = await office.room('Channels', '/channels');
    const program = await form(page, 'Own program');
    await program.getByLabel('Name').fill('Back office');
    await program.getByLabel('Address for the answers').fill('http://office.andina.example/misy');
    await program.getByRole('button', { name: 'Connect', exact: true }).click();
    await program.locator('input[aria-invalid=true]:focus').waitFor();
    await program.getByLabel('Address for the answers').fill('https://office.andina.example/misy');
    await program.getByRole('button', { name: 'Connect', exact: true }).click();
    const keep = async (name: string): Promise<string> => {
      const once = page.getByRole('dialog', { name });
      const secret = (await once.locator('code').nth(1).textContent()) ?? '';
      await once.getByLabel('I have kept it').check();
      await once.getByRole('button', { name: 'Done' }).click();
      return secret;
    };
    const first = await keep('Account created');
    assert.match(first, /^whsec_/);
    await act(page, 'Back office', 'Make a new secret');
    await page.getByRole('dialog', { name: 'Make a new secret' }).getByRole('button', { name: 'Make a new secret' }).click();
    const second = await keep('New secret');
    assert.match(second, /^whsec_/);
    assert.notEqual(first, second);
    await page.getByRole('button', { name: 'See its deliveries: Back office' }).click();
    await page.getByRole('dialog', { name: 'Back office' }).getByText('The secret before counts until').waitFor();
    await page.getByRole('dialog', { name: 'Back office' }).getByText('Nothing to deliver yet').waitFor();
    await page.getByRole('button', { name: 'Close' }).last().click();
    await inspect(page, 'console-channels');
    // On a telephone the rooms are behind a button, and what can be done with a row is within reach.
    await page.setViewportSize(NARROW);
    const actions = page.getByRole('button', { name: 'Actions for Back office' });
    const place = await actions.boundingBox();
    assert.ok(place && place.x >= 0 && place.x + place.width <= NARROW.width && place.width >= 24, JSON.stringify(place));
    await actions.click();
    await page.getByRole('menuitem', { name: 'Make a new secret' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Open the rooms' }).click();
    await page.getByRole('dialog', { name: 'Rooms' }).getByRole('link', { name: 'Overview' }).waitFor();
    await inspect(page, 'console-rooms');
    await page.setViewportSize(NARROW);
    await page.getByRole('dialog', { name: 'Rooms' }).getByRole('link', { name: 'Overview' }).click();
    await heading(page, 'Clínica Andina');
    await page.getByRole('dialog', { name: 'Rooms' }).waitFor({ state: 'detached' });
    await page.close();
  });

  test('a list that cannot be read says so and is asked for again, in the reader’s language', async () => {
    const page = await office.hers.newPage();
    let isDown = true;
    await page.route(/\/channels(\?|$)/, (route) =>
      isDown && route.request().resourceType() === 'fetch'
        ? route.fulfill({ status: 500, contentType: 'application/problem+json', body: JSON.stringify({ code: 'internal', status: 500, title: '', detail: '', type: '', requestId: 'req_1' }) })
        : route.continue(),
    );
    const speak = (language: string): Promise<void> => page.evaluate((code) => localStorage.setItem('misy-language', code), language);
    await page.goto(`${office.installation.origin}/console/andina/channels`);
    await page.getByText('Request req_1').waitFor();
    await speak('pt');
    await page.reload();
    await page.getByText('Chamada req_1').waitFor();
    await inspect(page, 'console-channels-lost');
    isDown = false;
    await page.getByRole('button', { name: 'Tentar de novo' }).click();
    await page.getByRole('button', { name: 'Conectar um canal' }).click();
    await page.getByRole('dialog', { name: 'O que você quer conectar?' }).getByRole('button', { name: 'Programa próprio' }).click();
    await speak('es');
    await page.reload();
    await page.getByRole('button', { name: 'Conectar un canal' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Instagram' }).click();
    const fields = page.getByRole('dialog', { name: 'Instagram' });
    await fields.getByLabel('Nombre').fill('Fotos');
    await fields.getByLabel('Identificador de la cuenta de Instagram').fill('@andina');
    await fields.getByRole('button', { name: 'Conectar', exact: true }).click();
    await fields.getByText('Deben ser de 5 a 32 cifras.').waitFor();
    await speak('en');
    await page.close();
  });
});
