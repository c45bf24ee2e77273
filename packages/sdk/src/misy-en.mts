export { texts } from './widget/languages/en.js';
