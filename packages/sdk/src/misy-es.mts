export { texts } from './widget/languages/es.js';
