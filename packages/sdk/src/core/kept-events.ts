/**
 * What happens within the chat and the page must not see: its one-key shortcuts would act on what is typed there, and a dialog
 * that keeps the focus would take it back. Listened for as early as the SDK is loaded, before the page's own listeners where
 * that is possible.
 */
const KEPT = ['keydown', 'keypress', 'keyup', 'focusin', 'focusout'];

const chats = new WeakMap<EventTarget, (event: Event) => void>();

const keep = (event: Event): void => {
  const chat = event.composedPath().find((part) => chats.has(part));
  if (!chat) return;
  event.stopImmediatePropagation();
  chats.get(chat)?.(event);
};

KEPT.forEach((type) => addEventListener(type, keep, true));

/** From now on the events within `host` go to `handler` alone. */
export function keepEvents(host: HTMLElement, handler: (event: Event) => void): void {
  chats.set(host, handler);
  // Listeners that were there before us, and decide by where the focus is, take it for a field of text.
  Object.defineProperty(host, 'isContentEditable', { value: true });
}
