/** A day of the calendar, as `2026-12-03`. */
export type Day = string;

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const formats = new Map<string, Intl.DateTimeFormat>();

/** The day that it is somewhere at a moment. */
export function dayAt(moment: number | string, zone: string): Day {
  let format = formats.get(zone);
  // The language of Canada writes days as ISO 8601 does.
  if (!format) formats.set(zone, (format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' })));
  return format.format(new Date(moment));
}

/** So many days later, or before. */
export const dayAfter = (day: Day, days = 1): Day => new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);

/** When a day begins somewhere: its first minute, which is not midnight where clocks are put forward then. */
export function startOf(day: Day, zone: string): string {
  const there = Date.parse(`${day}T00:00:00Z`);
  // No zone is further from UTC than this.
  let [before, after] = [there - DAY, there + DAY];
  while (after - before > MINUTE) {
    const middle = before + Math.floor((after - before) / 2 / MINUTE) * MINUTE;
    if (dayAt(middle, zone) < day) before = middle;
    else after = middle;
  }
  return new Date(after).toISOString();
}

/** Whether something that was typed is a day. */
export const isDay = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));

/** Whether a zone is one that this browser knows. */
export function isZone(zone: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }));
  } catch {
    return false;
  }
}
