import type { Load } from '../core/parts.js';
import type { texts as english } from './languages/en.js';

/** Every word the widget says by itself. */
export type Texts = typeof english;

/** Languages that there are; each has a file of its own. */
const LANGUAGES = ['en', 'es', 'pt', 'ar'] as const;

/** The language of a BCP 47 locale. */
export const languageOf = (locale: string): string => locale.slice(0, 2).toLowerCase();

/** Whether a locale is written from right to left. */
export const isRightToLeft = (locale: string): boolean => languageOf(locale) === 'ar';

/** The texts for a locale; English when its language is not one of ours. */
export const textsFor = async (locale: string, load: Load): Promise<Texts> =>
  (await load(LANGUAGES.find((language) => language === languageOf(locale)) ?? 'en')).texts;

/** Fills the places of a text. */
export const fill = (text: string, values: Record<string, string | number>): string =>
  text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
