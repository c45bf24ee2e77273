import { createMisy } from './core/facade.js';
import type { Parts } from './core/parts.js';
import { MisyError, type Misy } from './public.js';

declare global {
  interface Window {
    misy?: Misy;
    /** Files of the SDK that were loaded leave here what they offer. */
    misyParts?: Partial<Parts>;
  }
}

// Entry of `misy.js`, the file that pages embed with a script tag.
const script = document.currentScript as HTMLScriptElement | null;

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): { createScriptURL(address: string): string };
}

/** Pages with `require-trusted-types-for 'script'` take script addresses only from a policy; theirs must allow one named `misy`. */
const policy = (window as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy('misy', { createScriptURL: (address) => address });

function load<Name extends keyof Parts>(apiOrigin: string, name: Name): Promise<Parts[Name]> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      const part = window.misyParts?.[name];
      if (part) resolve(part);
      else reject(new MisyError('widget_unavailable'));
    };
    if (window.misyParts?.[name]) {
      settle();
      return;
    }
    const tag = document.createElement('script');
    const address = `${apiOrigin}/sdk/misy-${name}.js`;
    tag.src = policy?.createScriptURL(address) ?? address;
    // A page whose CSP works with nonces hands its own on.
    if (script?.nonce) tag.nonce = script.nonce;
    tag.onload = tag.onerror = settle;
    document.head.append(tag);
  });
}

if (!window.misy) {
  const misy = createMisy(load, script?.src);
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
