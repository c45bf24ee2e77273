import { mountChat } from './widget/mount.js';

// Entry of `misy-widget.js`: hands the widget to the core that asked for it.
window.misyWidget = { mountChat };
