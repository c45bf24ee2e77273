import { h, icon } from './dom.js';
import { safeAddress } from './markdown/parse.js';
import { externalLink, renderMarkdown } from './markdown/render.js';
import { fill } from './texts.js';

/** What files that are loaded later take from the widget: copies of their own would weigh more. */
export const kit = { externalLink, fill, h, icon, renderMarkdown, safeAddress };

export type Kit = typeof kit;
