export { LiveFeed } from './core/live-feed.js';
