/** Languages of the console, by their own names. The order is that of the texts. */
export const LANGUAGES = { es: 'Español', en: 'English', pt: 'Português' } as const;

export type Language = keyof typeof LANGUAGES;

const ORDER: readonly Language[] = ['es', 'en', 'pt'];
/** The pages for signing in keep it under the same name. */
const KEPT = 'misy-language';

const isLanguage = (code: string | null | undefined): code is Language => ORDER.some((known) => known === code);

/** What a person chose before, or what their browser asks for. */
export function preferred(): Language {
  const wanted = [kept(), ...navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase())];
  return wanted.find(isLanguage) ?? 'es';
}

function kept(): string | null {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    // A browser that keeps nothing asks again each time.
    return null;
  }
}

export function keep(language: Language): void {
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // It counts for this page then.
  }
}

/** A text in Spanish, English and Portuguese. `{name}` is filled in; `one|other` are the forms for `{count}`. */
export type Text = readonly [es: string, en: string, pt: string];

export type Texts = Readonly<Record<string, Text>>;

type Names<S extends string> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

/** What a text must be given. */
export type Values<T extends Text> = [Names<T[1]>] extends [never] ? [] : [values: Readonly<Record<Names<T[1]>, string | number>>];

/** Says a text, by its key. */
export type Say<T extends Texts> = <K extends keyof T & string>(key: K, ...values: Values<T[K]>) => string;

/** The texts of one place, in one language. */
export function sayIn<T extends Texts>(language: Language, texts: T): Say<T> {
  return (key, ...[values]) => format(language, texts[key]?.[ORDER.indexOf(language)] ?? key, values ?? {});
}

function format(language: Language, text: string, values: Readonly<Record<string, string | number>>): string {
  const { count } = values;
  const [one = '', other = one] = typeof count === 'number' ? text.split('|') : [text];
  const form = typeof count === 'number' && new Intl.PluralRules(language).select(count) === 'one' ? one : other;
  return form.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = values[name];
    return typeof value === 'number' ? new Intl.NumberFormat(language).format(value) : (value ?? place);
  });
}
