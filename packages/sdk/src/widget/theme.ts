import { page } from '../core/page.js';
import { contrast, css, luminance, mix, parseColour, readable, textOn, WHITE, type Colour } from './colour.js';

const FALLBACK: Colour = [47, 76, 158];
const DARK_SURFACE: Colour = [24, 27, 33];

/** Colours of the widget from the tenant's one colour; each pair that carries text has at least 4.5 : 1. */
export function themeColours(primaryColour: string, dark: boolean): Record<string, string> {
  const accent = parseColour(primaryColour) ?? FALLBACK;
  const surface = dark ? DARK_SURFACE : WHITE;
  const onAccent = textOn(accent);
  // The header runs into a second tone, away from its text colour, so that it stays readable all over.
  const accentEnd = mix(accent, onAccent === WHITE ? [0, 0, 0] : WHITE, 0.22);
  const tint = mix(surface, accent, dark ? 0.22 : 0.08);
  return {
    '--accent': css(accent),
    '--accent-end': css(accentEnd),
    '--on-accent': css(onAccent),
    '--accent-text': css(readable(accent, tint)),
    '--tint': css(tint),
    // A launcher nearly as dark or bright as the page still has an edge to be seen by.
    '--edge': css(contrast(accent, surface) < 3 ? readable(accent, surface, 3) : accent),
  };
}

/** Whether the page behind the widget is dark, judged by what it paints, not by what the system would like. */
export function pageIsDark(): boolean {
  for (const element of [page.body, page.documentElement]) {
    const background = parseColour(getComputedStyle(element).backgroundColor);
    if (background) return luminance(background) < 0.18;
  }
  // Nothing painted: the browser paints its canvas by the page's colour scheme.
  const scheme = getComputedStyle(page.documentElement).colorScheme;
  return scheme.includes('dark') && (!scheme.includes('light') || matchMedia('(prefers-color-scheme: dark)').matches);
}

/** Colours `root` for the tenant and the page, now and when the page changes between light and dark. Returns the end of it. */
export function applyTheme(root: HTMLElement, primaryColour: string): () => void {
  const attributeFilter = ['class', 'style', 'data-theme'];
  const update = (): void => {
    // Some pages replace their body.
    content.observe(page.body, { attributeFilter });
    const dark = pageIsDark();
    root.dataset.scheme = dark ? 'dark' : 'light';
    for (const [name, value] of Object.entries(themeColours(primaryColour, dark))) root.style.setProperty(name, value);
  };
  const system = matchMedia('(prefers-color-scheme: dark)');
  const content = new MutationObserver(update);
  content.observe(page.documentElement, { attributeFilter, childList: true });
  system.addEventListener('change', update);
  update();
  return () => {
    content.disconnect();
    system.removeEventListener('change', update);
  };
}
