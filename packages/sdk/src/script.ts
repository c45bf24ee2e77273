import { createMisy } from './core/facade.js';
import { page } from './core/page.js';
import type { Parts } from './core/parts.js';
import { MisyError, type Misy } from './public.js';

interface ScriptAddresses {
  createScriptURL(name: string): string;
}

declare global {
  interface Window {
    misy?: Misy;
    /** Files of the SDK that were loaded leave here what they offer. */
    misyParts: Partial<Parts>;
    trustedTypes?: { createPolicy(name: string, rules: ScriptAddresses): ScriptAddresses };
  }
}

// Entry of `misy.js`, the file that pages embed with a script tag.
const script = page.currentScript as HTMLScriptElement | null;

/** What a script or the browser has put there, unlike an element of the page that goes by its name. */
const own = <Name extends keyof typeof window>(name: Name): (typeof window)[Name] | undefined => (Object.hasOwn(window, name) ? window[name] : undefined);

const parts = (window.misyParts = own('misyParts') ?? {});

let origin = '';

/** The one place that knows from where a script may come: a file of the SDK, from the API that the page was told of. */
function addressOf(name: string): string {
  if (!/^(live|widget|rich|files|en|es|pt|ar)$/.test(name)) throw new TypeError(name);
  return `${origin}/sdk/misy-${name}.js`;
}

/** Pages with `require-trusted-types-for 'script'` take script addresses only from a policy; theirs must allow one named `misy`. */
const policy = own('trustedTypes')?.createPolicy('misy', { createScriptURL: addressOf });

async function load<Name extends keyof Parts>(apiOrigin: string, name: Name): Promise<Parts[Name]> {
  if (!parts[name]) {
    await new Promise((settle) => {
      const tag = page.createElement('script');
      origin = apiOrigin;
      tag.src = policy?.createScriptURL(name) ?? addressOf(name);
      // A page whose CSP works with nonces hands its own on.
      if (script?.nonce) tag.nonce = script.nonce;
      tag.onload = tag.onerror = settle;
      page.head.append(tag);
    });
  }
  const part = parts[name];
  if (!part) throw new MisyError('widget_unavailable');
  return part;
}

if (!own('misy')) {
  const misy = createMisy(load, script?.src);
  window.misy = misy;
  const { tenantId, publicKey, siteId, apiOrigin, locale, auto } = script?.dataset ?? {};
  if (tenantId && publicKey) {
    misy.init({ tenantId, publicKey, siteId, apiOrigin, locale });
    const start = (): void => void misy.connectChat();
    if (auto !== 'off') {
      if (page.readyState === 'loading') page.addEventListener('DOMContentLoaded', start);
      else start();
    }
  }
}
