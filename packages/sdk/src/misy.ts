import { createMisy } from './core/facade.js';
import type { Misy } from './public.js';

export * from './public.js';

// Kept apart from the core by the build, so that a page that needs neither loads neither.
const loader = { widget: () => import('./misy-widget.mjs'), live: () => import('./misy-live.mjs') };

/** The SDK as an ES module. Loaded from a Misy server it knows its API; in a bundle, give `apiOrigin` to `init`. */
export const misy: Misy = createMisy(loader, import.meta.url.endsWith('/sdk/misy.mjs') ? import.meta.url : undefined);
