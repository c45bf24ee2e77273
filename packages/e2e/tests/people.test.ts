import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { bearer, MisyProblem } from '@misy/api-client';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchBrowser, newVisitor } from '../src/browser.js';
import { inspect as inspectPage } from '../src/inspect.js';
import { Installation, NO_PROGRAM } from '../src/installation.js';
import { totp } from '../src/totp.js';

const EMAIL = 'olga@colombiatic.example';
const PASSWORD = 'tres tristes tigres tragaban';

describe('people sign in and look after their account', { skip: NO_PROGRAM }, () => {
  let installation: Installation;
  let browser: Browser;
  let enrolment: string;
  let secret: string;
  let olga: BrowserContext;

  before(async () => {
    installation = await Installation.start();
    enrolment = await installation.registerOwner();
    browser = await launchBrowser();
    olga = await person();
  });
  after(async () => {
    await browser.close();
    await installation.stop();
  });

  const person = (): Promise<BrowserContext> => newVisitor(browser, { locale: 'en-US' });

  const inspect = (page: Page, name: string): Promise<void> => inspectPage(page, `people-${name}`, { everyColour: true });

  /** An authenticator in the browser that says yes to everything. It goes when a session of the debugger ends. */
  async function withAuthenticator(page: Page): Promise<void> {
    const session = await page.context().newCDPSession(page);
    await session.send('WebAuthn.enable');
    await session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
  }

  const heading = (page: Page, name: string): Promise<void> => page.getByRole('heading', { level: 1, name }).waitFor();

  async function signIn(page: Page): Promise<void> {
    await page.goto(`${installation.origin}/sign-in`);
    await page.getByLabel('E-mail address').fill(EMAIL);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await heading(page, 'Confirm it is you');
  }

  test('the first administrator enrols with the link of the registration and an authenticator app', async () => {
    const page = await olga.newPage();
    await page.goto(enrolment);
    await heading(page, 'Make your account');
    assert.ok(!page.url().includes('adm_'), 'the token is out of the address');
    await inspect(page, 'enroll');
    await page.getByLabel('Name').fill('Olga Ruiz');
    await page.getByLabel('E-mail address').fill(EMAIL);
    await page.getByLabel('New password').fill('short');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.locator('input[aria-invalid=true]').waitFor();
    await page.getByLabel('New password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Continue' }).click();
    await heading(page, 'A second factor');
    await inspect(page, 'second-factor');
    await page.getByRole('button', { name: 'Set up the app' }).click();
    await heading(page, 'Authenticator app');
    await inspect(page, 'app');
    await page.getByText('No camera? Type this key').click();
    secret = (await page.locator('#secret').textContent()) ?? '';
    await page.getByLabel('6-digit code').fill('000000');
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByRole('alert').filter({ hasText: 'The code is not right.' }).waitFor();
    await page.getByLabel('6-digit code').fill(await totp(secret));
    await page.getByRole('button', { name: 'Confirm' }).click();
    await heading(page, 'Recovery codes');
    assert.equal(await page.locator('#codes li').count(), 10);
    await inspect(page, 'codes');
    await page.getByLabel('I have kept them').check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await heading(page, 'Your account');
    await page.getByText(EMAIL).waitFor();
    await page.close();
  });

  test('password and code bring her in; a wrong password says no more than that', async () => {
    const context = await person();
    const page = await context.newPage();
    await page.goto(`${installation.origin}/account`);
    await page.waitForURL('**/sign-in?returnTo=/account');
    await heading(page, 'Sign in');
    await inspect(page, 'sign-in');
    await page.getByLabel('E-mail address').fill(EMAIL);
    await page.getByLabel('Password', { exact: true }).fill('another password entirely');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'The address or the password is not right.' }).waitFor();
    await signIn(page);
    await inspect(page, 'challenge');
    await page.getByLabel('6-digit code').fill(await totp(secret));
    await page.keyboard.press('Enter');
    await heading(page, 'Your account');
    await context.close();
  });

  test('a passkey is added, and alone brings her in again', async () => {
    const page = await olga.newPage();
    await page.goto(`${installation.origin}/account`);
    await page.getByRole('button', { name: 'Add a passkey' }).waitFor();
    await withAuthenticator(page);
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.locator('#passkeys li').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await heading(page, 'Sign in');
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await heading(page, 'Your account');
    assert.match(await page.locator('#passkeys li').innerText(), /Last used/);
    await inspect(page, 'account');
    await page.close();
  });

  test('a browser that she does not know any more is signed out from another', async () => {
    const elsewhere = await person();
    const there = await elsewhere.newPage();
    await signIn(there);
    await there.getByLabel('6-digit code').fill(await totp(secret));
    await there.keyboard.press('Enter');
    await heading(there, 'Your account');
    const page = await olga.newPage();
    await page.goto(`${installation.origin}/account`);
    const others = page.getByRole('button', { name: /^End the session of/ });
    await others.first().waitFor();
    const before = await others.count();
    await others.first().click();
    await page.waitForFunction((count) => document.querySelectorAll('#sessions button').length < count, before);
    await page.getByRole('button', { name: 'End all others' }).or(page.locator('#sessions')).first().waitFor();
    const all = page.getByRole('button', { name: 'End all others' });
    if (await all.count()) await all.click();
    await page.waitForFunction(() => document.querySelectorAll('#sessions button').length === 0);
    await there.reload();
    await there.waitForURL('**/sign-in?returnTo=/account');
    await elsewhere.close();
    await page.close();
  });

  test('she makes a token for a program, and takes it back', async () => {
    const page = await olga.newPage();
    await page.goto(`${installation.origin}/account`);
    await page.getByText('Make a token', { exact: true }).first().click();
    await page.getByLabel('What it is for').fill('Reports');
    await page.getByLabel('What it may do').fill('tenant:read sites:read');
    await page.getByRole('button', { name: 'Make a token' }).click();
    const token = (await page.locator('.done code').textContent()) ?? '';
    assert.match(token, /^pat_/);
    const program = installation.api.as(bearer(token));
    const tenant = await program.call('readTenant', { path: { tenantId: 'colombiatic' } });
    assert.equal(tenant.tenantName, 'Colombiatic');
    await page.reload();
    await page.getByRole('button', { name: 'Revoke Reports' }).click();
    await page.locator('#tokens').waitFor({ state: 'detached' });
    const refused = program.call('readTenant', { path: { tenantId: 'colombiatic' } });
    await assert.rejects(refused, (error) => MisyProblem.is(error, 'token_revoked'));
    await page.close();
  });

  test('a link without its token, and a forgotten password, are explained in each language', async () => {
    const context = await person();
    const page = await context.newPage();
    for (const path of ['/enroll', '/invite']) {
      await page.goto(`${installation.origin}${path}`);
      await page.getByText('This address lacks something.').waitFor();
    }
    await inspect(page, 'invitation');
    await page.getByRole('combobox').selectOption('es');
    await page.getByText('A esta dirección le falta algo.').waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'es');
    await page.goto(`${installation.origin}/reset-password`);
    await heading(page, 'Contraseña nueva');
    await page.getByRole('combobox').selectOption('pt');
    await heading(page, 'Nova senha');
    await page.getByRole('combobox').selectOption('en');
    await page.getByLabel('E-mail address').fill('nobody@colombiatic.example');
    await page.getByRole('button', { name: 'Send the link' }).click();
    await page.getByRole('status').waitFor();
    await inspect(page, 'reset');
    await context.close();
  });
});
