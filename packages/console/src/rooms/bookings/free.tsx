import { MisyProblem, type Schemas } from '@misy/api-client';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useId } from 'react';
import { api } from '../../api/client.js';
import { useTenant } from '../../frame/tenant.js';
import { Button, Problem, Skeleton } from '../../parts/basics.js';
import { Field } from '../../parts/form.js';
import { useTexts } from '../../words/words.js';
import { useClock } from './clock.js';
import { type Day, dayAfter, dayAt, isDay, startOf } from './days.js';
import type { Offered } from './offered.js';
import { texts } from './texts.js';

export type Slot = Schemas['FreeTime'];

/** As far ahead as a day with free times is looked for, from the one that was asked for. */
const AHEAD = 28;

interface FreeTimesProps {
  offered: Offered;
  serviceId: string;
  /** Anybody who does the service, unless somebody is asked for. */
  providerId: string;
  day: Day;
  onDay: (day: Day) => void;
  chosen: Slot | undefined;
  choose: (slot: Slot | undefined) => void;
  /** What stood against the time that was asked for. */
  error: unknown;
}

/** A day and its free times, of which one is chosen; where there is none, the next day that has some. */
export function FreeTimes({ offered, serviceId, providerId, day, onDay, chosen, choose, error }: FreeTimesProps): ReactNode {
  const say = useTexts(texts);
  const { tenantId } = useTenant();
  const clock = useClock(offered.zone);
  const read = (from: Day, until: Day, signal: AbortSignal) =>
    api.call('listFreeTimes', {
      path: { tenantId, serviceId },
      query: { from: startOf(from, offered.zone), until: startOf(until, offered.zone), ...(providerId && { providerId }) },
      signal,
    });
  const today = dayAt(Date.now(), offered.zone);
  const isAhead = isDay(day) && day >= today;
  const key = [tenantId, 'free', serviceId, providerId, day];
  const free = useQuery({ queryKey: key, queryFn: ({ signal }) => read(day, dayAfter(day), signal), enabled: isAhead });
  const isNone = isAhead && free.data?.items.length === 0;
  const later = useQuery({ queryKey: [...key, 'later'], queryFn: ({ signal }) => read(dayAfter(day), dayAfter(day, AHEAD), signal), enabled: isNone });
  const next = later.data?.items[0];
  const instead = error instanceof MisyProblem ? error.alternatives : [];
  const slots = (list: readonly Slot[]): ReactNode => <Slots {...{ offered, chosen, choose, list }} named={!providerId} />;
  return (
    <>
      {instead.length > 0 && (
        <fieldset className="field">
          <legend>{say('instead')}</legend>
          {slots(instead)}
        </fieldset>
      )}
      <Field
        label={say('day')}
        type="date"
        min={today}
        required
        value={day}
        onChange={(typed) => {
          choose(undefined);
          onDay(typed);
        }}
      />
      <fieldset className="field" aria-live="polite">
        <legend>{say('free')}</legend>
        {free.isLoading && <Skeleton lines={2} />}
        {free.error && <Problem error={free.error} again={() => void free.refetch()} />}
        {free.data && free.data.items.length > 0 && slots(free.data.items)}
        {(isNone || (isDay(day) && !isAhead)) && (
          <p className="quiet">
            {say('free_none')} {later.data && !next && say('free_none_soon')}
          </p>
        )}
        {isNone && next && (
          <p>
            <Button onClick={() => onDay(dayAt(next.startsAt, offered.zone))}>{say('free_next', { day: clock.dayOf(next.startsAt) })}</Button>
          </p>
        )}
      </fieldset>
    </>
  );
}

const isSame = (one: Slot | undefined, other: Slot): boolean => one?.startsAt === other.startsAt && one.providerId === other.providerId;

/** Times to choose from; the day stands with those of another one. */
function Slots({ offered, chosen, choose, list, named }: { offered: Offered; chosen: Slot | undefined; choose: (slot: Slot) => void; list: readonly Slot[]; named: boolean }): ReactNode {
  const say = useTexts(texts);
  const clock = useClock(offered.zone);
  const group = useId();
  const isOneDay = new Set(list.map(({ startsAt }) => dayAt(startsAt, offered.zone))).size === 1;
  return (
    <div className="slots">
      {list.map((slot) => {
        const time = isOneDay ? clock.hour(slot.startsAt) : `${clock.dayOf(slot.startsAt)}, ${clock.hour(slot.startsAt)}`;
        const name = offered.nameOf(slot.providerId);
        return (
          <label key={`${slot.startsAt}/${slot.providerId}`} className="slot">
            <input type="radio" name={group} aria-label={named ? say('free_with', { time, name }) : time} checked={isSame(chosen, slot)} onChange={() => choose(slot)} />
            <span>
              {time}
              {named && <span className="quiet">{name}</span>}
            </span>
          </label>
        );
      })}
    </div>
  );
}
