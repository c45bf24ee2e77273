import { useMemo } from 'react';
import { useLanguage } from '../../words/words.js';
import { type Day, dayAt } from './days.js';

/** How the reader writes the days and hours of a business, which are those of its own zone. */
export interface Clock {
  zone: string;
  hour: (at: string) => string;
  /** A day with its weekday. */
  day: (day: Day) => string;
  /** The day of a moment with its weekday. */
  dayOf: (at: string) => string;
}

export function useClock(zone: string): Clock {
  const { language } = useLanguage();
  return useMemo(() => {
    const hours = new Intl.DateTimeFormat(language, { timeZone: zone, timeStyle: 'short' });
    const days = new Intl.DateTimeFormat(language, { timeZone: 'UTC', weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
    const day = (one: Day): string => days.format(new Date(`${one}T00:00:00Z`));
    return { zone, hour: (at) => hours.format(new Date(at)), day, dayOf: (at) => day(dayAt(at, zone)) };
  }, [language, zone]);
}
