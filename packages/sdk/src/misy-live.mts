export { LiveFeed } from './core/live-feed.js';
export { makeUp } from './core/made-up-for.js';
