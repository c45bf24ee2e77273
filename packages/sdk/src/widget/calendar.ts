const DAY_MS = 86_400_000;

const midnight = (date: Date): number => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

export const sameDay = (one: Date, other: Date): boolean => midnight(one) === midnight(other);

/** "today", "yesterday", or the date, in the reader's language and time zone. */
export function dayLabel(date: Date, now: Date, locale: string): string {
  // Rounded: a day with a change of clocks is an hour off.
  const days = Math.round((midnight(date) - midnight(now)) / DAY_MS);
  const label =
    days === 0 || days === -1
      ? new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(days, 'day')
      : new Intl.DateTimeFormat(locale, {
          weekday: 'long',
          day: 'numeric',
          month: 'long',
          year: date.getFullYear() === now.getFullYear() ? undefined : 'numeric',
        }).format(date);
  return label.charAt(0).toLocaleUpperCase(locale) + label.slice(1);
}

export const timeLabel = (date: Date, locale: string): string =>
  new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' }).format(date);
