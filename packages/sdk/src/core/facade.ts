import { MisyError, type ChatHandle, type ChatOptions, type Misy, type MisyOptions } from '../public.js';
import { Client } from './client.js';
import { localeOf } from './locale.js';
import { page } from './page.js';
import type { MountedChat, Parts } from './parts.js';
import { writeJson } from './taken.js';

/** Fetches a part of the SDK for those who talk to an API. */
export type Loader = <Name extends keyof Parts>(apiOrigin: string, name: Name) => Promise<Parts[Name]>;

/** Makes the public object. `defaultApiOrigin`: where the SDK's own file came from, if it is known. */
export function createMisy(load: Loader, defaultApiOrigin: string | undefined): Misy {
  let client: Client | undefined;

  const initialized = (): Client => {
    if (!client) throw new MisyError('not_initialized', 0, { message: 'Call misy.init first.' });
    return client;
  };

  return {
    init(options: MisyOptions): void {
      const { tenantId, publicKey, siteId = 'main' } = options;
      const apiOrigin = originOf(options.apiOrigin ?? defaultApiOrigin);
      if (!tenantId || !publicKey || !apiOrigin) {
        throw new MisyError('invalid_options', 0, { message: 'tenantId, publicKey and apiOrigin are needed.' });
      }
      if (!isSecureContext) throw new MisyError('insecure_context', 0, { message: 'Misy needs HTTPS.' });
      const locale = localeOf((options.locale ?? page.documentElement.lang) || navigator.language);
      const site = { tenantId, siteId, publicKey, apiOrigin };
      if (client && client.locale === locale && writeJson(client.site) === writeJson(site)) return;
      client?.stop();
      client = new Client(site, locale, (name) => load(apiOrigin, name));
    },

    connectChat({ target, open = false }: ChatOptions = {}): ChatHandle {
      const held = initialized();
      const place = typeof target === 'string' ? (page.querySelector(target) ?? undefined) : target;
      if (target && !place) throw new MisyError('target_not_found');
      return handleOf(held.load('widget').then((widget) => widget.mountChat(held, place, open)));
    },

    async sendMessage(text, options) {
      return initialized().send(text, options);
    },

    async getSession() {
      return initialized().session();
    },

    subscribeEvents(handler) {
      const held = initialized();
      held.listen();
      return held.subscribe(handler);
    },
  };
}

function originOf(address: string | undefined): string | undefined {
  try {
    const { origin } = new URL(address ?? '');
    return origin === 'null' ? undefined : origin;
  } catch {
    return undefined;
  }
}

function handleOf(mounting: Promise<MountedChat>): ChatHandle {
  const ready = mounting.then(() => undefined);
  // Who does not look at `ready` still finds the reason in the console.
  ready.catch((error: unknown) => console.warn('Misy:', error));
  const later = (action: (chat: MountedChat) => void) => () => {
    mounting.then(action, () => undefined);
  };
  return {
    open: later((chat) => chat.open()),
    close: later((chat) => chat.close()),
    destroy: later((chat) => chat.destroy()),
    ready,
  };
}
