import { createContext, use, useEffect, useMemo, useState, type ReactNode } from 'react';
import { keep, type Language, preferred, type Say, sayIn, type Texts } from './language.js';

interface Chosen {
  language: Language;
  choose: (language: Language) => void;
}

const Context = createContext<Chosen>({ language: 'en', choose: () => undefined });

/** Holds the language that everything below is said in. */
export function Words({ children }: { children: ReactNode }): ReactNode {
  const [language, setLanguage] = useState(preferred);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const chosen = useMemo(() => {
    const choose = (next: Language): void => {
      keep(next);
      setLanguage(next);
    };
    return { language, choose };
  }, [language]);
  return <Context value={chosen}>{children}</Context>;
}

export const useLanguage = (): Chosen => use(Context);

/** The texts of one place in the reader's language. */
export function useTexts<T extends Texts>(texts: T): Say<T> {
  const { language } = useLanguage();
  return useMemo(() => sayIn(language, texts), [language, texts]);
}

/** How the reader writes numbers and times. */
export interface Writing {
  number: (value: number) => string;
  day: (at: string) => string;
  moment: (at: string) => string;
  /** The time of day; with its day where that is not today. */
  time: (at: string) => string;
  /** How long something has lasted, in minutes or more; empty where it has only begun. */
  lasting: (since: string, now?: number) => string;
  /** How long ago or from now. */
  ago: (at: string, now?: number) => string;
}

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

export function useWriting(): Writing {
  const { language } = useLanguage();
  return useMemo(() => {
    const numbers = new Intl.NumberFormat(language);
    const days = new Intl.DateTimeFormat(language, { dateStyle: 'medium' });
    const moments = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
    const times = new Intl.DateTimeFormat(language, { timeStyle: 'short' });
    const short = new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'short' });
    const spans = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
    return {
      number: (value) => numbers.format(value),
      day: (at) => days.format(new Date(at)),
      moment: (at) => moments.format(new Date(at)),
      time: (at) => (new Date(at).toDateString() === new Date().toDateString() ? times : short).format(new Date(at)),
      lasting: (since, now = Date.now()) => {
        const seconds = (now - Date.parse(since)) / 1000;
        const found = STEPS.find(([, step]) => seconds >= step);
        return found ? new Intl.NumberFormat(language, { style: 'unit', unit: found[0], unitDisplay: 'short' }).format(Math.floor(seconds / found[1])) : '';
      },
      ago: (at, now = Date.now()) => {
        const seconds = (Date.parse(at) - now) / 1000;
        const [unit, length] = STEPS.find(([, step]) => Math.abs(seconds) >= step) ?? ['second', 1];
        return spans.format(unit === 'second' ? 0 : Math.round(seconds / length), unit);
      },
    };
  }, [language]);
}
