import { page } from '../core/page.js';

/**
 * Puts the chat into the page and keeps it there. A floating chat stands beside the body: libraries that replace the body at each
 * click (Turbo, Swup) leave it alone. One that is taken out all the same goes back in. Returns the way to take it out for good.
 */
export function stayInPage(host: HTMLElement, target: Element | undefined): () => void {
  host.dataset.misy = target ? 'inline' : '';
  const place = (): void => {
    // An element that was replaced is known again by its id.
    const home = target ? (target.isConnected ? target : target.id && page.getElementById(target.id)) : page.documentElement;
    if (home && host.parentNode !== home) home.append(host);
  };
  const changes = new MutationObserver(place);
  changes.observe(page.documentElement, { childList: true, subtree: !!target });
  place();
  return () => {
    changes.disconnect();
    host.remove();
  };
}
