import assert from 'node:assert/strict';
import { bearer, type Schemas } from '@misy/api-client';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchBrowser, newVisitor } from './browser.js';
import { Installation, type Registered } from './installation.js';
import { enrol, type Person } from './people.js';
import { totp } from './totp.js';

/** A proof counts for five minutes, of which a slow machine may need some for one test. */
const FRESH_MS = 60_000;

/** What an office begins with. */
interface Beginning {
  /** What the program is told besides. */
  settings?: Readonly<Record<string, string>>;
  /** What the tenant's assistant knows. */
  pack?: Schemas['ContextPack'];
}

/** A running program with one tenant, whose administrator is signed in to the console. */
export class Office {
  private provedAt = Date.now();

  private constructor(
    readonly installation: Installation,
    readonly owner: Registered,
    readonly andina: Registered,
    readonly browser: Browser,
    /** Where Ana, the administrator, is signed in. */
    readonly hers: BrowserContext,
    readonly ana: Person,
  ) {}

  static async open({ settings = {}, pack }: Beginning = {}): Promise<Office> {
    const installation = await Installation.start(settings);
    let browser: Browser | undefined;
    try {
      const owner = await installation.register();
      const andina = await installation.api.as(bearer(owner.enrollment.token)).call('createTenant', {
        body: {
          tenantId: 'andina',
          tenantName: 'Clínica Andina',
          contactEmail: 'contacto@andina.example',
          websiteUrl: 'https://andina.example',
          businessIndustry: 'Dental clinic',
        },
      });
      // Before she enrols, since the link counts until then.
      if (pack) await installation.api.as(bearer(andina.enrollment.token)).call('replaceContextPack', { path: { tenantId: 'andina' }, body: pack });
      browser = await launchBrowser();
      const hers = await newVisitor(browser, { locale: 'en-US' });
      const page = await hers.newPage();
      const ana = await enrol(page, andina.enrollment.url, 'Ana Rojas', 'ana@andina.example');
      await page.close();
      return new Office(installation, owner, andina, browser, hers, ana);
    } catch (error) {
      // What is left would keep the process from ending.
      await browser?.close();
      await installation.stop();
      throw error;
    }
  }

  /** A page of the console, as Ana sees it, who has proved within a while that it is her. */
  async room(name: string, path: string): Promise<Page> {
    const page = await this.hers.newPage();
    await page.goto(`${this.installation.origin}/console/andina${path}`);
    await heading(page, name);
    if (Date.now() - this.provedAt > FRESH_MS) {
      assert.equal(await stepUp(page, this.ana), 200);
      this.provedAt = Date.now();
      await page.reload();
      await heading(page, name);
    }
    return page;
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.installation.stop();
  }
}

/** Somebody proves with a code that it is them, from whatever page of the program is open; gives the status of the answer. */
export async function stepUp(page: Page, { secret }: Person): Promise<number> {
  return page.evaluate(async (code) => {
    const me = (await (await fetch('/api/meta-agent/auth/me')).json()) as { csrfToken: string };
    const headers = { 'content-type': 'application/json', 'x-misy-csrf': me.csrfToken };
    const answer = await fetch('/api/meta-agent/auth/step-up', { method: 'POST', headers, body: JSON.stringify({ factor: 'totp', code }) });
    return answer.status;
  }, await totp(secret));
}

export const heading = (page: Page, name: string): Promise<void> => page.getByRole('heading', { level: 1, name }).waitFor();
