import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';
import { cspViolations } from './browser.js';

const SCREENSHOTS = new URL('../screenshots/', import.meta.url).pathname;
export const WIDE = { width: 1280, height: 800 };
export const NARROW = { width: 390, height: 844 };
const SIZES = { wide: WIDE, narrow: NARROW };

const axe = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Fails unless axe finds nothing on a page, and nothing scrolls sideways; wide and light, narrow and dark. Keeps pictures. */
export async function inspect(page: Page, name: string): Promise<void> {
  for (const [size, colorScheme] of [['wide', 'light'], ['wide', 'dark'], ['narrow', 'light'], ['narrow', 'dark']] as const) {
    // Each size and each scheme is looked at once; pictures are made of all.
    const looks = (size === 'wide') === (colorScheme === 'light');
    if (!looks && process.env.MISY_SCREENSHOTS === undefined) continue;
    await page.setViewportSize(SIZES[size]);
    await page.emulateMedia({ colorScheme });
    if (looks) {
      assert.deepEqual(await violations(page), [], `${name}, ${size}, ${colorScheme}`);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(overflow, 0, `${name} scrolls sideways on a ${size} screen`);
    }
    if (process.env.MISY_SCREENSHOTS !== undefined) {
      await page.screenshot({ path: `${SCREENSHOTS}${name}-${size}-${colorScheme}.png`, fullPage: true });
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(WIDE);
  assert.deepEqual(await cspViolations(page), []);
}

/** What axe finds. The policy of the page lets no script in but its own; axe comes through the debugger. */
async function violations(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: await axe });
  await session.detach();
  const { violations: found } = await page.evaluate(() => (window as unknown as { axe: { run(options: RunOptions): Promise<AxeResults> } }).axe.run({ resultTypes: ['violations'] }));
  return found.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.failureSummary ?? ''}`));
}
