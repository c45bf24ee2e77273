import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { bearer, MisyProblem, publishableKey } from '@misy/api-client';
import type { Browser, Page, Route } from 'playwright-core';
import { newVisitor } from '../src/browser.js';
import { inspect } from '../src/inspect.js';
import { type Installation, NO_PROGRAM, type Registered } from '../src/installation.js';
import { heading, Office, stepUp } from '../src/office.js';
import { accept, enrol, signIn } from '../src/people.js';
import { totp } from '../src/totp.js';

describe('people manage a tenant in the console', { skip: NO_PROGRAM }, () => {
  let office: Office;
  let installation: Installation;
  let browser: Browser;
  let verde: Registered;

  before(async () => {
    office = await Office.open();
    ({ installation, browser } = office);
    verde = await installation.api.as(bearer(office.owner.enrollment.token)).call('createTenant', {
      body: {
        tenantId: 'verde-cafe',
        tenantName: 'Verde Café',
        contactEmail: 'oi@verdecafe.example',
        websiteUrl: 'https://verdecafe.example',
        businessIndustry: 'Restaurant',
      },
    });
  });
  after(() => office.close());

  /** A room of andina, as Ana sees it. */
  const room = (name: string, path: string): Promise<Page> => office.room(name, path);

  test('a stranger is sent to sign in, and comes back to the room that they asked for', async () => {
    const elsewhere = await newVisitor(browser, { locale: 'en-US' });
    const page = await elsewhere.newPage();
    await page.goto(`${installation.origin}/console/andina/keys`);
    await page.waitForURL('**/sign-in?returnTo=%2Fconsole%2Fandina%2Fkeys');
    await signIn(page, office.ana);
    await heading(page, 'Keys and secrets');
    const kept = await elsewhere.newPage();
    await kept.goto(`${installation.origin}/console/andina/keys`);
    await heading(kept, 'Keys and secrets');
    await page.getByRole('button', { name: /^Your account: Ana Rojas/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.waitForURL('**/sign-in?returnTo=/console');
    // A page that the browser kept, as it does for its button "Back", is asked for again: nothing of it is shown any more.
    await kept.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
    await kept.waitForURL('**/sign-in?returnTo=%2Fconsole%2Fandina%2Fkeys');
    await elsewhere.close();
  });

  test('the overview tells how the tenant stands, in three languages and two themes', async () => {
    const page = await room('Clínica Andina', '');
    await page.getByText('Messages this month').waitFor();
    await page.getByText('No alerts. All is calm.').waitFor();
    await inspect(page, 'console-overview');
    await page.getByRole('button', { name: /^Your account/ }).click();
    await page.getByRole('menuitem', { name: 'Español' }).click();
    await page.getByText('Mensajes este mes').waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'es');
    await page.getByRole('button', { name: /^Tu cuenta/ }).click();
    await page.getByRole('menuitem', { name: 'Tema oscuro' }).click();
    await page.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
    await page.getByRole('button', { name: /^Tu cuenta/ }).click();
    await page.getByRole('menuitem', { name: 'Tema del sistema' }).click();
    await page.getByRole('button', { name: /^Tu cuenta/ }).click();
    await page.getByRole('menuitem', { name: 'English' }).click();
    await page.getByText('Messages this month').waitFor();
    await page.close();
  });

  test('the palette leads anywhere by keys alone', async () => {
    const page = await room('Clínica Andina', '');
    await page.keyboard.press('Control+k');
    const search = page.getByRole('combobox', { name: 'Search or go to…' });
    await search.waitFor();
    await inspect(page, 'console-palette');
    await search.fill('sites');
    await page.keyboard.press('Enter');
    await heading(page, 'Sites');
    await page.keyboard.press('Control+k');
    await search.waitFor();
    await page.keyboard.press('Escape');
    await search.waitFor({ state: 'detached' });
    await page.close();
  });

  test('a site is told its mistakes at their fields, is added, changed, put back and deleted', async () => {
    const page = await room('Sites', '/sites');
    await page.getByText('https://andina.example').waitFor();
    await inspect(page, 'console-sites');
    await page.getByRole('button', { name: 'Add site' }).click();
    await page.getByLabel('Id', { exact: true }).fill('shop');
    await page.getByLabel('Origins').fill('shop.andina.example');
    await page.getByRole('dialog').getByRole('button', { name: 'Add site' }).click();
    await page.locator('textarea[aria-invalid=true]:focus').waitFor();
    await inspect(page, 'console-new-site');
    await page.getByLabel('Origins').fill('https://shop.andina.example');
    await page.getByRole('dialog').getByRole('button', { name: 'Add site' }).click();
    await heading(page, 'shop');
    await page.getByText('We have not seen your site yet').waitFor();
    await inspect(page, 'console-site');
    await page.getByLabel('Name').fill('Our shop');
    await page.getByRole('button', { name: 'Save' }).click();
    await heading(page, 'Our shop');
    await page.getByRole('button', { name: 'Undo' }).click();
    await heading(page, 'shop');
    await page.getByRole('button', { name: 'Delete site' }).click();
    const confirm = page.getByRole('dialog').getByRole('button', { name: 'Delete site' });
    assert.ok(await confirm.isDisabled(), 'it is deleted by whoever types its name');
    await page.getByLabel('Type shop to confirm').fill('shop');
    await confirm.click();
    await heading(page, 'Sites');
    await page.close();
  });

  test('a key is shown once, works on the site, and is revoked', async () => {
    const page = await room('Keys and secrets', '/keys');
    await inspect(page, 'console-keys');
    await page.getByRole('button', { name: 'Create key' }).click();
    await page.getByLabel('Name').fill('Landing page');
    await page.getByRole('dialog').getByRole('button', { name: 'Create key' }).click();
    const once = page.getByRole('dialog', { name: 'Key created' });
    const key = (await once.locator('code').first().textContent()) ?? '';
    assert.match(key, /^pk_live_/);
    await inspect(page, 'console-key-once');
    await page.keyboard.press('Escape');
    assert.ok(await once.isVisible(), 'nobody closes it by accident');
    await once.getByLabel('I have kept it').check();
    await once.getByRole('button', { name: 'Done' }).click();
    const visitor = installation.api.as(publishableKey(key, 'https://andina.example'));
    await visitor.call('mintToken', { body: { siteId: 'main' } });
    await page.getByRole('button', { name: 'Actions for Landing page' }).click();
    await page.getByRole('menuitem', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('Landing page').first().waitFor({ state: 'detached' });
    await assert.rejects(visitor.call('mintToken', { body: { siteId: 'main' } }), (error) => MisyProblem.is(error, 'key_invalid'));
    await page.close();
    // The page with that key was seen.
    const site = await room('Clínica Andina', '/sites/main');
    await site.getByText('We have seen your site').waitFor();
    await site.close();
  });

  test('a server secret takes over from the one before', async () => {
    const page = await room('Keys and secrets', '/keys');
    await page.getByRole('button', { name: 'Make a new one' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('Second server');
    await page.getByRole('dialog').getByRole('button', { name: 'Make a new one' }).click();
    const once = page.getByRole('dialog', { name: 'Secret made' });
    assert.match((await once.locator('code').nth(1).textContent()) ?? '', /^[\w-]{43}$/);
    await once.getByLabel('I have kept it').check();
    await once.getByRole('button', { name: 'Done' }).click();
    await page.getByText('Second server').waitFor();
    await page.close();
  });

  test('what the assistant knows is edited in a form, with its mistakes at their places, and put back', async () => {
    const page = await room('Business', '/business');
    await page.getByRole('button', { name: 'Add question' }).click();
    await page.getByLabel('Question', { exact: true }).last().fill('Do you treat children?');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('textarea[aria-invalid=true]:focus').waitFor();
    await page.getByLabel('Answer').last().fill('Yes, from three years of age.');
    await page.getByRole('button', { name: 'Add hours: Saturday' }).click();
    await inspect(page, 'console-business');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved. It is answered from with the next message.').waitFor();
    await page.getByText('Do you treat children?').waitFor();
    await page.getByRole('button', { name: 'JSON' }).click();
    assert.match(await page.getByRole('textbox', { name: 'JSON' }).inputValue(), /three years of age/);
    await page.getByRole('textbox', { name: 'JSON' }).fill('{');
    await page.getByText(/^This is no JSON/).waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Do you treat children?').waitFor({ state: 'detached' });
    await page.close();
  });

  test('somebody is invited, comes in, and sees the rooms of their role and no other', async () => {
    const page = await room('Team', '/team');
    await page.getByRole('button', { name: 'Invite' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Name').fill('Beto Díaz');
    await form.getByLabel('E-mail address').fill('beto');
    await form.getByRole('checkbox', { name: /^Analyst/ }).check();
    await form.getByRole('button', { name: 'Invite' }).click();
    await form.locator('input[aria-invalid=true]:focus').waitFor();
    await form.getByLabel('E-mail address').fill('beto@andina.example');
    await form.getByRole('button', { name: 'Invite' }).click();
    const once = page.getByRole('dialog', { name: 'Invitation link' });
    const link = (await once.locator('code').textContent()) ?? '';
    await once.getByLabel('I have kept it').check();
    await once.getByRole('button', { name: 'Done' }).click();
    await page.getByText('beto@andina.example').waitFor();
    await inspect(page, 'console-team');

    const elsewhere = await newVisitor(browser, { locale: 'en-US' });
    const his = await elsewhere.newPage();
    await accept(his, link, 'Beto Díaz');
    await his.goto(`${installation.origin}/console`);
    await heading(his, 'Clínica Andina');
    const rooms = his.getByRole('navigation', { name: 'Rooms' });
    assert.deepEqual(await rooms.getByRole('link').allInnerTexts(), ['Overview', 'Sites']);
    await his.goto(`${installation.origin}/console/andina/keys`);
    await his.getByText('Your role does not open this room.').waitFor();
    await his.getByText('keys:read, secrets:read').waitFor();
    await inspect(his, 'console-not-yours');
    await his.goto(`${installation.origin}/console/colombiatic`);
    await his.getByText('It is not there, or not any more.').waitFor();

    await page.reload();
    await page.getByRole('button', { name: 'Actions for Beto Díaz' }).click();
    await page.getByRole('menuitem', { name: 'Disable' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
    await page.getByRole('row', { name: /Beto Díaz/ }).getByText('Disabled').waitFor();
    await his.goto(`${installation.origin}/console`);
    await his.waitForURL('**/sign-in**');
    await elsewhere.close();
    await page.close();
  });

  test('a role of one’s own holds what its maker may do', async () => {
    const page = await room('Roles', '/roles');
    await page.getByRole('button', { name: 'Create role' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Id', { exact: true }).fill('reception');
    await form.getByLabel('Name').fill('Reception');
    await form.getByRole('checkbox', { name: /^See the organisation/ }).check();
    await inspect(page, 'console-new-role');
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Reception', { exact: true }).waitFor();
    await inspect(page, 'console-roles');
    await page.close();
  });

  test('what was done stands in the trail, and the browser proves that nobody altered it', async () => {
    const page = await room('Audit trail', '/audit');
    await page.getByRole('button', { name: 'inviteUser' }).first().waitFor();
    await inspect(page, 'console-audit');
    await page.getByRole('button', { name: 'inviteUser' }).first().click();
    await page.getByRole('button', { name: 'Check this entry' }).click();
    await page.getByText(/^It is in the trail, at place/).waitFor();
    await inspect(page, 'console-audit-entry');
    await page.getByRole('button', { name: 'Close' }).last().click();
    // Whoever sits between and edits one entry is found by both checks.
    const edit = async (route: Route): Promise<void> => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replaceAll('"inviteUser"', '"inviteNobody"') });
    };
    await page.route(/\/audit\/(entries|export)/, edit);
    await page.getByRole('button', { name: 'inviteUser' }).first().click();
    await page.getByRole('button', { name: 'Check this entry' }).click();
    await page.getByText('The proof does not hold').waitFor();
    await page.getByRole('button', { name: 'Close' }).last().click();
    await page.getByRole('button', { name: 'Check now' }).click();
    await page.getByText('Something is not as it was sealed').waitFor();
    await page.getByRole('button', { name: 'Close' }).last().click();
    await page.unroute(/\/audit\/(entries|export)/, edit);
    await page.getByRole('button', { name: 'Check now' }).click();
    await page.getByText(/entries checked: all is as it was sealed/).waitFor();
    await inspect(page, 'console-audit-check');
    await page.close();
  });

  test('whoever signs out is out, whatever was done in other tabs, or is told that they are not', async () => {
    const cafe = await newVisitor(browser, { locale: 'en-US' });
    const page = await cafe.newPage();
    const rita = await enrol(page, verde.enrollment.url, 'Rita Souza', 'rita@verdecafe.example');
    await page.goto(`${installation.origin}/console`);
    await heading(page, 'Verde Café');
    // A second factor that is proved in another tab changes what proves that a call comes from here.
    const other = await cafe.newPage();
    await other.goto(`${installation.origin}/account`);
    assert.equal(await stepUp(other, rita), 200);
    await page.getByRole('navigation', { name: 'Rooms' }).getByRole('link', { name: 'Keys and secrets' }).click();
    await page.getByRole('button', { name: 'Create key' }).click();
    await page.getByLabel('Name').fill('Second tab');
    await page.getByRole('dialog').getByRole('button', { name: 'Create key' }).click();
    const once = page.getByRole('dialog', { name: 'Key created' });
    await once.getByLabel('I have kept it').check();
    await once.getByRole('button', { name: 'Done' }).click();

    const signOut = async (): Promise<void> => {
      await page.getByRole('button', { name: /^Your account/ }).click();
      await page.getByRole('menuitem', { name: 'Sign out' }).click();
    };
    const status = (): Promise<number> => other.evaluate(async () => (await fetch('/api/meta-agent/auth/me')).status);
    await page.route('**/auth/sign-out', (route) => route.abort());
    await signOut();
    await page.getByText(/^You are still signed in\./).waitFor();
    assert.ok(page.url().includes('/console/verde-cafe'));
    assert.equal(await status(), 200);
    await page.unroute('**/auth/sign-out');
    await signOut();
    await page.waitForURL('**/sign-in?returnTo=/console');
    assert.equal(await status(), 401);
    await cafe.close();
  });

  test('the owner’s people move between tenants, say why they act, and are asked again who they are', async () => {
    const headquarters = await newVisitor(browser, { locale: 'en-US' });
    const page = await headquarters.newPage();
    const olga = await enrol(page, office.owner.enrollment.url, 'Olga Ruiz', 'olga@colombiatic.example');
    await page.goto(`${installation.origin}/console`);
    await heading(page, 'Colombiatic');
    await page.getByRole('button', { name: /^Switch tenant:/ }).click();
    await page.getByRole('combobox', { name: 'Search or go to…' }).fill('andina');
    await page.getByRole('option', { name: /Clínica Andina/ }).click();
    await heading(page, 'Clínica Andina');
    await page.getByText(/which is not your own organisation/).waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Sites' }).click();
    await page.getByText('This belongs to Clínica Andina').waitFor();
    await inspect(page, 'console-need-access');
    await page.getByRole('button', { name: 'Get access' }).click();
    await page.getByLabel('Reason').fill('Ticket 4711: the chat is not seen');
    await page.getByRole('dialog').getByRole('button', { name: 'Get access' }).click();
    await page.getByText('https://andina.example').waitFor();
    await page.goto(`${installation.origin}/console/colombiatic/tenants`);
    await page.getByRole('row', { name: /Clínica Andina/ }).waitFor();
    await inspect(page, 'console-tenants');
    // A factor that was proved long ago asks for itself again, and what was begun goes on.
    let refusals = 0;
    await page.route('**/suspend', (route) =>
      refusals++ > 0
        ? route.continue()
        : route.fulfill({ status: 401, contentType: 'application/problem+json', body: JSON.stringify({ code: 'step_up_required', status: 401, title: '', detail: '', type: '', requestId: 'req_0' }) }),
    );
    await page.getByRole('button', { name: 'Actions for Clínica Andina' }).click();
    await page.getByRole('menuitem', { name: 'Suspend' }).click();
    await page.getByLabel('Reason').fill('Ticket 4712: they asked for a pause');
    await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
    const again = page.getByRole('dialog', { name: 'Confirm it is you' });
    await again.waitFor();
    await inspect(page, 'console-step-up');
    await again.getByLabel('6-digit code').fill(await totp(olga.secret));
    await again.getByRole('button', { name: 'Confirm' }).click();
    await page.getByRole('row', { name: /Clínica Andina/ }).getByText('Suspended').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('row', { name: /Clínica Andina/ }).getByText('Active').waitFor();
    // Who is suspended can leave, also from a page that they load then.
    await page.getByRole('button', { name: 'Actions for Clínica Andina' }).click();
    await page.getByRole('menuitem', { name: 'Suspend' }).click();
    await page.getByLabel('Reason').fill('Ticket 4713: they asked for it after all');
    await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
    await page.getByRole('row', { name: /Clínica Andina/ }).getByText('Suspended').waitFor();
    const hers = await office.hers.newPage();
    await hers.goto(`${installation.origin}/console`);
    await hers.getByText('The organisation is suspended').waitFor();
    await hers.getByRole('button', { name: 'Sign out' }).click();
    await hers.waitForURL('**/sign-in?returnTo=/console');
    assert.equal(await hers.evaluate(async () => (await fetch('/api/meta-agent/auth/me')).status), 401);
    await headquarters.close();
  });
});
