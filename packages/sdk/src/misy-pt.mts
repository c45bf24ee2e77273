export { texts } from './widget/languages/pt.js';
