import type { Page } from 'playwright-core';
import { eventually } from './eventually.js';
import { totp } from './totp.js';

const ONE_TRY_MS = 10_000;

/** Somebody who uses the console, with a browser of their own. */
export interface Person {
  email: string;
  password: string;
  /** Of their authenticator app. */
  secret: string;
}

/** Somebody opens a link that makes an account, and enrols with a password and an app. */
export async function enrol(page: Page, link: string, name: string, email: string): Promise<Person> {
  const password = 'tres tristes tigres tragaban';
  await page.goto(link);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('New password').fill(password);
  await page.getByRole('button', { name: 'Continue' }).click();
  const codes = page.getByRole('heading', { level: 1, name: 'Recovery codes' });
  await page.getByRole('button', { name: 'Set up the app' }).click();
  await page.getByText('No camera? Type this key').click();
  const secret = (await page.locator('#secret').textContent()) ?? '';
  // A code may be over by the time it arrives.
  await eventually(async () => {
    if (await codes.isVisible()) return;
    await page.getByLabel('6-digit code').fill(await totp(secret), { timeout: ONE_TRY_MS });
    await page.getByRole('button', { name: 'Confirm' }).click({ timeout: ONE_TRY_MS });
    await codes.waitFor({ timeout: ONE_TRY_MS });
  });
  await page.getByLabel('I have kept them').check();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { level: 1, name: 'Your account' }).waitFor();
  return { email, password, secret };
}

/** Somebody who was invited comes in, as one whose roles need no second factor. */
export async function accept(page: Page, link: string, name: string): Promise<void> {
  await page.goto(link);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('New password').fill('un tigre, dos tigres, tres tigres');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { level: 1, name: 'Your account' }).waitFor();
}

/** Somebody signs in where the installation sent them, by password and app. */
export async function signIn(page: Page, person: Person): Promise<void> {
  await page.getByLabel('E-mail address').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByLabel('6-digit code').fill(await totp(person.secret));
  await page.keyboard.press('Enter');
}
