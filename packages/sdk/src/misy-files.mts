export { Tray } from './files/tray.js';
