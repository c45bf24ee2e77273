import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults, ElementContext, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';
import { cspViolations } from './browser.js';

const SCREENSHOTS = new URL('../screenshots/', import.meta.url).pathname;
export const WIDE = { width: 1280, height: 800 };
export const NARROW = { width: 360, height: 740 };
const SIZES = { wide: WIDE, narrow: NARROW };

const axe = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Axe {
  run: (where: ElementContext, options: RunOptions) => Promise<AxeResults>;
}
type Scheme = 'light' | 'dark';

/** Rules about colours: the only ones that a page can break in one scheme and keep in the other. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];

/** What of a page is judged: all of it with all rules, unless said otherwise. */
export interface Looked {
  /** Selectors of what is looked at. */
  at?: string[];
  rules?: string[];
}

/** The chat alone: the site around it is judged where a test is about both. */
export const CHAT: Looked = { at: ['[data-misy]'] };

/** Keeps a picture, if pictures are wanted. */
export async function picture(page: Page, name: string, fullPage = false): Promise<void> {
  if (process.env.MISY_SCREENSHOTS !== undefined) await page.screenshot({ path: `${SCREENSHOTS}${name}.png`, fullPage });
}

/**
 * Fails unless axe finds nothing on a page, and nothing scrolls sideways; wide and light, narrow and dark. Keeps pictures.
 * `everyColour`: the colours are judged in the other scheme of each size too.
 */
export async function inspect(page: Page, name: string, { everyColour = false } = {}): Promise<void> {
  const looks: readonly (readonly [size: keyof typeof SIZES, colorScheme: Scheme])[] = [['wide', 'light'], ['wide', 'dark'], ['narrow', 'dark'], ['narrow', 'light']];
  for (const [size, colorScheme] of looks) {
    // Each size and each scheme is looked at once; pictures are made of all.
    const isWhole = (size === 'wide') === (colorScheme === 'light');
    if (!isWhole && !everyColour && process.env.MISY_SCREENSHOTS === undefined) continue;
    await page.setViewportSize(SIZES[size]);
    await page.emulateMedia({ colorScheme });
    if (isWhole || everyColour) {
      assert.deepEqual(await violations(page, isWhole ? {} : { rules: OF_COLOURS }), [], `${name}, ${size}, ${colorScheme}`);
    }
    if (isWhole) {
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(overflow, 0, `${name} scrolls sideways on a ${size} screen`);
    }
    await picture(page, `${name}-${size}-${colorScheme}`, true);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(WIDE);
  assert.deepEqual(await cspViolations(page), []);
}

/** What axe finds. The policy of the page lets no script in but its own; axe comes through the debugger, once for each document. */
export async function violations(page: Page, { at, rules }: Looked = {}): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) {
    const session = await page.context().newCDPSession(page);
    await session.send('Runtime.evaluate', { expression: await axe });
    await session.detach();
  }
  const { violations: found } = await page.evaluate(
    ([where, only]) =>
      (window as unknown as { axe: Axe }).axe.run(where ? { include: where.map((selector) => [selector]) } : document, {
        resultTypes: ['violations'],
        ...(only && { runOnly: { type: 'rule', values: only } }),
      }),
    [at, rules] as const,
  );
  return found.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.failureSummary ?? ''}`));
}
