import { atLast, backoff, Pause } from './backoff.js';
import { keepEvents } from './kept-events.js';
import { lockOfOrigin } from './lock.js';
import { page } from './page.js';
import { isTransient } from './problem.js';
import { clearTimeout, now, readJson, setTimeout } from './taken.js';

/**
 * What files that are loaded later take from the core: a copy of their own would weigh more, and find the globals that the page
 * has replaced meanwhile.
 */
export const tools = { atLast, backoff, clearTimeout, isTransient, keepEvents, lockOfOrigin, now, page, Pause, readJson, setTimeout };

export type Tools = typeof tools;
