export { renderRich } from './rich/render.js';
