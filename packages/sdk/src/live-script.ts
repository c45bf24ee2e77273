import { LiveFeed } from './core/live-feed.js';

// Entry of `misy-live.js`: hands the live feed to the core that asked for it.
window.misyLive = { LiveFeed };
