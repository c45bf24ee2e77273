export { Tray } from './files/tray.js';
export { without } from './files/missing.js';
