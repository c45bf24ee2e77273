import { PATIENCE_MS } from './eventually.js';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  `--disable-features=${[
    // A page that a test has altered counts as one of the internet, which may not call this machine.
    'LocalNetworkAccessChecks',
    // A process made ahead for a site that no test visits.
    'SpareRendererForSitePerProcess',
    // What a page showed before is not kept on the screen until the next one is there.
    'PaintHolding',
    'HttpsUpgrades',
    'HttpsFirstBalancedModeAutoEnable',
    'MediaRouter',
    'NetworkTimeServiceQuerying',
    'OptimizationHints',
    'PreconnectToSearch',
    'Translate',
  ].join()}`,
];

/** The installed Chromium; `MISY_CHROMIUM` names another one. */
export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: process.env.MISY_CHROMIUM ?? '/usr/bin/chromium', args: FLAGS, timeout: PATIENCE_MS });

/** A visitor with a profile of their own. Animations are off, so that what is measured and pictured stands still. */
export async function newVisitor(browser: Browser, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  // The build of the tests wraps functions that have a name in this one; in the page it is not there.
  await context.addInitScript('globalThis.__name = (named) => named');
  await context.addInitScript(() => {
    const seen: string[] = [];
    Object.assign(window, { cspViolations: seen });
    addEventListener('securitypolicyviolation', (event) => seen.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  return context;
}

/** What the browser's policy has refused on a page so far. */
export const cspViolations = (page: Page): Promise<string[]> =>
  page.evaluate(() => (window as unknown as { cspViolations: string[] }).cspViolations);
