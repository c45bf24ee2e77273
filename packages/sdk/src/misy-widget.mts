export { mountChat } from './widget/mount.js';
