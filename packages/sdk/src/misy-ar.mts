export { texts } from './widget/languages/ar.js';
