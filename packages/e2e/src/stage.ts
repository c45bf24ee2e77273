import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Route } from 'playwright-core';
import { launchBrowser, newVisitor } from './browser.js';
import { ChatPage } from './chat-page.js';
import { DemoSite } from './demo-sites.js';
import { FakeApi } from './fake-api/server.js';
import { publicKeyOf, TENANTS } from './fake-api/tenants.js';

/** Why a test that needs to steer the server does not run against a real one. */
export const NEEDS_FAKE = process.env.MISY_E2E_API ? 'steers the fake API; a real server is under test' : false;

/**
 * What a test file plays on: demo sites, an API, a browser. `MISY_E2E_API` (origin) and `MISY_E2E_SITES` (JSON, tenant id
 * to site address) name a running installation; without them the fake API and its sites are started.
 */
export class Stage {
  private constructor(
    readonly browser: Browser,
    readonly apiOrigin: string,
    private readonly sites: Record<string, string>,
    private readonly fakeApi: FakeApi | undefined,
    private readonly demoSites: DemoSite[],
  ) {}

  /** `fake`: on the fake API even where a real server is under test, to show what that one says only now and then. */
  static async set({ fake = false } = {}): Promise<Stage> {
    const browser = await launchBrowser();
    const { MISY_E2E_API: running, MISY_E2E_SITES: addresses } = process.env;
    if (running && !fake) {
      const sites = JSON.parse(addresses ?? '{}') as Record<string, string>;
      return new Stage(browser, new URL(running).origin, sites, undefined, []);
    }
    const api = await FakeApi.start();
    const sites: Record<string, string> = {};
    const demoSites: DemoSite[] = [];
    for (const { tenantId } of TENANTS) {
      const site = await DemoSite.start(tenantId, publicKeyOf(tenantId), api.origin);
      api.allow(tenantId, site.origin);
      sites[tenantId] = site.origin;
      demoSites.push(site);
    }
    return new Stage(browser, api.origin, sites, api, demoSites);
  }

  async strike(): Promise<void> {
    await this.browser.close();
    await Promise.all(this.demoSites.map((site) => site.stop()));
    await this.fakeApi?.stop();
  }

  /** The fake API, for tests marked with `NEEDS_FAKE`. */
  get fake(): FakeApi {
    if (!this.fakeApi) throw new Error('this test must be skipped with NEEDS_FAKE');
    return this.fakeApi;
  }

  site(tenantId: string): string {
    const site = this.sites[tenantId];
    if (!site) throw new Error(`MISY_E2E_SITES names no site of ${tenantId}`);
    return site;
  }

  /** Runs `play` as a fresh visitor, who leaves at the end whatever happens. */
  async visit(
    tenantId: string,
    play: (chat: ChatPage, context: BrowserContext) => Promise<void>,
    options?: BrowserContextOptions,
  ): Promise<void> {
    await this.asVisitor(async (context) => play(await ChatPage.visit(context, this.site(tenantId)), context), options);
  }

  private async fulfil(route: Route, folder: string): Promise<void> {
    const path = join(folder, new URL(route.request().url()).pathname.replace('/sdk/', ''));
    await route.fulfill({ path, contentType: 'text/javascript', headers: { 'Access-Control-Allow-Origin': '*' } });
  }

  async asVisitor(play: (context: BrowserContext) => Promise<void>, options?: BrowserContextOptions): Promise<void> {
    const context = await newVisitor(this.browser, options);
    // The files as they were just built, in the place of those that a running program was built with.
    if (process.env.MISY_E2E_SDK) await context.route('**/sdk/*', (route) => this.fulfil(route, process.env.MISY_E2E_SDK ?? ''));
    try {
      await play(context);
    } finally {
      await context.close();
    }
  }
}
