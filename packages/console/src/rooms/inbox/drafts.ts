/** What somebody has begun to write and not sent: kept in the tab, so that a reload or a look elsewhere loses none of it. */
const PREFIX = 'misy.draft.';

export function readDraft(key: string): string {
  try {
    return sessionStorage.getItem(PREFIX + key) ?? '';
  } catch {
    return '';
  }
}

export function keepDraft(key: string, text: string): void {
  try {
    if (text === '') sessionStorage.removeItem(PREFIX + key);
    else sessionStorage.setItem(PREFIX + key, text);
  } catch {
    // The browser keeps nothing: what is typed stays as long as the page does.
  }
}
