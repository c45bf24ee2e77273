export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEPT = 'misy-theme';

export function theme(): Theme {
  try {
    const kept = localStorage.getItem(KEPT);
    return THEMES.find((known) => known === kept) ?? 'system';
  } catch {
    // A browser that keeps nothing follows the system.
    return 'system';
  }
}

/** Shows the page in a theme; the sheet does the rest. */
export function show(chosen: Theme): void {
  if (chosen === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}

export function choose(chosen: Theme): void {
  show(chosen);
  try {
    localStorage.setItem(KEPT, chosen);
  } catch {
    // It counts for this page then.
  }
}
