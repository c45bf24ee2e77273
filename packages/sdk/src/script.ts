import { createMisy, type WidgetModule } from './core/facade.js';
import { MisyError, type Misy } from './public.js';

declare global {
  interface Window {
    misy?: Misy;
    misyWidget?: WidgetModule;
  }
}

// Entry of `misy.js`, the file that pages embed with a script tag.
const script = document.currentScript as HTMLScriptElement | null;

function loadWidget(apiOrigin: string): Promise<WidgetModule> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      if (window.misyWidget) resolve(window.misyWidget);
      else reject(new MisyError('widget_unavailable'));
    };
    if (window.misyWidget) {
      settle();
      return;
    }
    const tag = document.createElement('script');
    tag.src = `${apiOrigin}/sdk/misy-widget.js`;
    // A page whose CSP works with nonces hands its own on.
    if (script?.nonce) tag.nonce = script.nonce;
    tag.onload = tag.onerror = settle;
    document.head.append(tag);
  });
}

if (!window.misy) {
  const misy = createMisy(loadWidget, script?.src);
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
