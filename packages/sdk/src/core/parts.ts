import type { goOnWithout } from '../files/missing.js';
import type { Tray } from '../files/tray.js';
import type { renderRich } from '../rich/render.js';
import type { Texts } from '../widget/texts.js';
import type { Client } from './client.js';
import type { LiveFeed } from './live-feed.js';
import type { makeUp } from './made-up-for.js';

/** A widget that has been put into the page. */
export interface MountedChat {
  open(): void;
  close(): void;
  destroy(): void;
}

interface Language {
  texts: Texts;
}

/** What is not part of the core and comes in files of its own, `misy-NAME.js`, when it is first needed. */
export interface Parts {
  live: { LiveFeed: typeof LiveFeed; makeUp: typeof makeUp };
  widget: { mountChat(client: Client, target: Element | undefined, open: boolean): Promise<MountedChat> };
  rich: { renderRich: typeof renderRich };
  files: { Tray: typeof Tray; goOnWithout: typeof goOnWithout };
  en: Language;
  es: Language;
  pt: Language;
  ar: Language;
}

/** Fetches a part. Rejects when it cannot be had just now; asked again, it tries again. */
export type Load = <Name extends keyof Parts>(name: Name) => Promise<Parts[Name]>;
