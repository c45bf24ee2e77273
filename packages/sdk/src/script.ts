import type { LiveModule } from './core/client.js';
import { createMisy, type WidgetModule } from './core/facade.js';
import { MisyError, type Misy } from './public.js';

declare global {
  interface Window {
    misy?: Misy;
    misyWidget?: WidgetModule;
    misyLive?: LiveModule;
  }
}

// Entry of `misy.js`, the file that pages embed with a script tag.
const script = document.currentScript as HTMLScriptElement | null;

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): { createScriptURL(address: string): string };
}

/** Pages with `require-trusted-types-for 'script'` take script addresses only from a policy; theirs must allow one named `misy`. */
const policy = (window as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy('misy', { createScriptURL: (address) => address });

/** Loads a file of the SDK, which leaves what it offers in a global. */
function load<Name extends 'misyWidget' | 'misyLive'>(apiOrigin: string, file: string, name: Name): Promise<NonNullable<Window[Name]>> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      const offered = window[name];
      if (offered) resolve(offered);
      else reject(new MisyError('widget_unavailable'));
    };
    if (window[name]) {
      settle();
      return;
    }
    const tag = document.createElement('script');
    const address = `${apiOrigin}/sdk/${file}`;
    tag.src = policy?.createScriptURL(address) ?? address;
    // A page whose CSP works with nonces hands its own on.
    if (script?.nonce) tag.nonce = script.nonce;
    tag.onload = tag.onerror = settle;
    document.head.append(tag);
  });
}

if (!window.misy) {
  const misy = createMisy(
    {
      widget: (origin) => load(origin, 'misy-widget.js', 'misyWidget'),
      live: (origin) => load(origin, 'misy-live.js', 'misyLive'),
    },
    script?.src,
  );
  window.misy = misy;
  const { tenantId, publicKey, siteId, apiOrigin, locale, auto } = script?.dataset ?? {};
  if (tenantId && publicKey) {
    misy.init({ tenantId, publicKey, siteId, apiOrigin, locale });
    const start = (): void => void misy.connectChat();
    if (auto !== 'off') {
      if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
      else start();
    }
  }
}
