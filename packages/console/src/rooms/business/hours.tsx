import type { ReactNode } from 'react';
import { Button, Card, Section } from '../../parts/basics.js';
import { Field, useMistake } from '../../parts/form.js';
import { Icon } from '../../parts/icon.js';
import { common } from '../../parts/texts.js';
import { useTexts } from '../../words/words.js';
import { type Change, type Day, DAYS, type Hours, type Interval, orNothing, type Pack, type SpecialDay } from './pack.js';
import { texts } from './texts.js';

const USUAL: Interval = ['09:00', '18:00'];

/** When the business is open: the week, and days that differ from it. */
export function OpeningHours({ pack, change }: { pack: Pack; change: Change }): ReactNode {
  const say = useTexts(texts);
  const hours: Hours = pack.openingHours ?? { weekly: {} };
  const set = (part: Partial<Hours>): void => change({ openingHours: { ...hours, ...part } });
  const setDay = (day: Day, intervals: readonly Interval[]): void => set({ weekly: { ...hours.weekly, [day]: intervals } });
  const special = hours.exceptions ?? [];
  const setSpecial = (at: number, next: SpecialDay | undefined): void => set({ exceptions: special.flatMap((one, place) => (place === at ? (next ? [next] : []) : [one])) });
  return (
    <Section title={say('hours')}>
      <Card>
        <ul className="week">
          {DAYS.map((day) => (
            <li key={day}>
              <span className="week-day">{say(day)}</span>
              <Intervals name={say(day)} pointer={`/openingHours/weekly/${day}`} value={hours.weekly[day] ?? []} onChange={(intervals) => setDay(day, intervals)} />
            </li>
          ))}
        </ul>
        <h3>{say('exceptions')}</h3>
        <p className="quiet">{say('exceptions_about')}</p>
        <ul className="week">
          {special.map((one, at) => (
            <li key={at}>
              <Special pointer={`/openingHours/exceptions/${at}`} value={one} onChange={(next) => setSpecial(at, next)} />
            </li>
          ))}
        </ul>
        <Button icon="plus" onClick={() => set({ exceptions: [...special, { date: new Date().toISOString().slice(0, 10), closed: true }] })}>
          {say('add_day')}
        </Button>
      </Card>
    </Section>
  );
}

function Intervals({ name, pointer, value, onChange }: { name: string; pointer: string; value: readonly Interval[]; onChange: (value: readonly Interval[]) => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const wrong = useMistake(pointer);
  const set = (at: number, next: Interval | undefined): void => onChange(value.flatMap((one, place) => (place === at ? (next ? [next] : []) : [one])));
  return (
    <div className="intervals">
      {value.length === 0 && <span className="quiet">{say('closed')}</span>}
      {value.map(([from, to], at) => (
        <span key={at} className="interval">
          <input type="time" required aria-label={say('opens', { day: name })} aria-invalid={wrong ? true : undefined} value={from} onChange={(event) => set(at, [event.target.value, to])} />
          <span aria-hidden="true">–</span>
          <input type="time" required aria-label={say('closes', { day: name })} aria-invalid={wrong ? true : undefined} value={to} onChange={(event) => set(at, [from, event.target.value])} />
          <button type="button" className="icon-button" aria-label={`${all('remove')}: ${name} ${from}`} onClick={() => set(at, undefined)}>
            <Icon name="cross" />
          </button>
        </span>
      ))}
      <button type="button" className="icon-button" aria-label={`${say('add_hours')}: ${name}`} onClick={() => onChange([...value, USUAL])}>
        <Icon name="plus" />
      </button>
      {wrong && <p className="wrong">{wrong}</p>}
    </div>
  );
}

function Special({ pointer, value, onChange }: { pointer: string; value: SpecialDay; onChange: (value: SpecialDay | undefined) => void }): ReactNode {
  const say = useTexts(texts);
  const { date, reason } = value;
  const hours = 'hours' in value ? value.hours : [];
  const about = { date, ...(reason && { reason }) };
  const set = (next: readonly Interval[]): void => onChange(next.length > 0 ? { ...about, hours: next.map(([from, to]) => [from, to]) } : { ...about, closed: true });
  return (
    <div className="special">
      <Field label={say('date')} type="date" pointer={`${pointer}/date`} value={date} onChange={(next) => onChange({ ...value, date: next })} />
      <Field label={say('why')} pointer={`${pointer}/reason`} value={reason ?? ''} onChange={(next) => onChange({ ...value, reason: orNothing(next) })} />
      <Intervals name={date} pointer={`${pointer}/hours`} value={hours} onChange={set} />
      <button type="button" className="icon-button" aria-label={say('remove_named', { name: date })} onClick={() => onChange(undefined)}>
        <Icon name="cross" />
      </button>
    </div>
  );
}
