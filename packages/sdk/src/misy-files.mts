export { Tray } from './files/tray.js';
export { goOnWithout } from './files/missing.js';
