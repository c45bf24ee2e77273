import { createMisy } from './core/facade.js';
import type { Parts } from './core/parts.js';
import type { Misy } from './public.js';

export * from './public.js';

// Kept apart from the core by the build, so that a page loads what it needs. Written out, since bundlers look for the names.
const parts: { [Name in keyof Parts]: () => Promise<Parts[Name]> } = {
  live: () => import('./misy-live.mjs'),
  widget: () => import('./misy-widget.mjs'),
  rich: () => import('./misy-rich.mjs'),
  files: () => import('./misy-files.mjs'),
  en: () => import('./misy-en.mjs'),
  es: () => import('./misy-es.mjs'),
  pt: () => import('./misy-pt.mjs'),
  ar: () => import('./misy-ar.mjs'),
};

/** The SDK as an ES module. Loaded from a Misy server it knows its API; in a bundle, give `apiOrigin` to `init`. */
export const misy: Misy = createMisy((_, name) => parts[name](), import.meta.url.endsWith('/sdk/misy.mjs') ? import.meta.url : undefined);
