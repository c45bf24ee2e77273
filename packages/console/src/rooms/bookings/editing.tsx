import { MisyProblem } from '@misy/api-client';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useRef, useState } from 'react';
import { api } from '../../api/client.js';
import { useTenant } from '../../frame/tenant.js';
import { Button } from '../../parts/basics.js';
import { Dialog } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { Form, Select } from '../../parts/form.js';
import { common } from '../../parts/texts.js';
import { useTexts } from '../../words/words.js';
import { type Day, dayAt } from './days.js';
import { FreeTimes, type Slot } from './free.js';
import type { Booking, Offered } from './offered.js';
import { texts } from './texts.js';
import { detailsOf, NOBODY, whoOf, WhoFields, type Who } from './who.js';

interface EditingProps {
  offered: Offered;
  onClose: () => void;
  /** Goes to the day on which it is now. */
  onDay: (day: Day) => void;
}

interface Chosen {
  day: Day;
  setDay: (day: Day) => void;
  slot: Slot | undefined;
  choose: (slot: Slot | undefined) => void;
  /** What stood against the time that was tried last. */
  error: unknown;
  trying: <T>(act: () => Promise<T>) => Promise<T>;
}

/** The day that is looked at, and the time that is chosen on it. */
function useSlot(day: Day): Chosen {
  const [on, setOn] = useState(day);
  const [slot, setSlot] = useState<Slot>();
  const [error, setError] = useState<unknown>();
  const { tenantId } = useTenant();
  const queries = useQueryClient();
  // What stands against a time brings others, which are offered beside the problem that the form shows.
  const trying = async <T,>(act: () => Promise<T>): Promise<T> => {
    setError(undefined);
    try {
      return await act();
    } catch (problem) {
      setError(problem);
      if (problem instanceof MisyProblem && problem.alternatives.length > 0) {
        setSlot(undefined);
        void queries.invalidateQueries({ queryKey: [tenantId, 'free'] });
      }
      throw problem;
    }
  };
  return { day: on, setDay: setOn, slot, choose: setSlot, error, trying };
}

/** Who can do a service, to choose from. */
function providersOf(offered: Offered, serviceId: string, anybody: string): (readonly [string, string])[] {
  const { providerIds } = offered.services.find(({ id }) => id === serviceId) ?? {};
  const does = offered.providers.filter(({ id, services }) => (services ?? []).includes(serviceId) || (providerIds ?? []).includes(id));
  return [['', anybody], ...does.map(({ id, name }) => [id, name] as const)];
}

/** Books for somebody: what, with whom, when, and for whom. */
export function NewBooking({ offered, day, onDay, onClose }: EditingProps & { day: Day }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const { tenantId } = useTenant();
  const done = useDone();
  const bookable = offered.services.filter(({ isBookable }) => isBookable);
  const today = dayAt(Date.now(), offered.zone);
  const [serviceId, setService] = useState(bookable[0]?.id ?? '');
  const [providerId, setProvider] = useState('');
  const [who, setWho] = useState<Who>(NOBODY);
  const { slot, choose, trying, ...at } = useSlot(day > today ? day : today);
  // The same call sent again books once; another one is another booking.
  const sent = useRef({ text: '', key: '' });
  const submit = (): Promise<void> =>
    trying(async () => {
      if (!slot) return;
      const body = { booking: { serviceId, providerId: slot.providerId, startsAt: slot.startsAt, details: detailsOf(who) } };
      const text = JSON.stringify(body);
      if (sent.current.text !== text) sent.current = { text, key: crypto.randomUUID() };
      const booking = await api.call('createBooking', { path: { tenantId }, body, idempotencyKey: sent.current.key });
      onClose();
      onDay(dayAt(booking.startsAt, offered.zone));
      const path = { tenantId, bookingId: booking.bookingId };
      done(say('made'), [[tenantId, 'bookings'], [tenantId, 'free']], () => api.call('cancelBooking', { path }));
    });
  return (
    <Dialog title={say('new')} look="wide" onClose={onClose}>
      <Form submit={submit}>
        <div className="pair">
          <Select
            label={say('service')}
            pointer="/serviceId"
            value={serviceId}
            options={bookable.map(({ id, name }) => [id, name] as const)}
            onChange={(id) => {
              setService(id);
              setProvider('');
              choose(undefined);
            }}
          />
          <Select
            label={say('provider')}
            pointer="/providerId"
            value={providerId}
            options={providersOf(offered, serviceId, say('anybody'))}
            onChange={(id) => {
              setProvider(id);
              choose(undefined);
            }}
          />
        </div>
        <FreeTimes offered={offered} serviceId={serviceId} providerId={providerId} day={at.day} onDay={at.setDay} chosen={slot} choose={choose} error={at.error} />
        <WhoFields value={who} set={(part) => setWho((before) => ({ ...before, ...part }))} />
        <Form.Buttons>
          <Button onClick={onClose}>{all('cancel')}</Button>
          <Form.Submit disabled={!slot}>{say('book')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}

/** Moves a booking to another time, or to somebody else. */
export function Move({ offered, booking, onDay, onClose }: EditingProps & { booking: Booking }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const { tenantId } = useTenant();
  const done = useDone();
  const { bookingId, serviceId, serviceName, version } = booking;
  const [providerId, setProvider] = useState(booking.providerId);
  const { slot, choose, trying, ...at } = useSlot(dayAt(booking.startsAt, offered.zone));
  const submit = (): Promise<void> =>
    trying(async () => {
      if (!slot) return;
      const path = { tenantId, bookingId };
      const body = { startsAt: slot.startsAt, providerId: slot.providerId };
      const moved = await api.call('changeBooking', { path, body, ifMatch: `"${version}"` });
      onClose();
      onDay(dayAt(moved.startsAt, offered.zone));
      const before = { startsAt: booking.startsAt, providerId: booking.providerId };
      done(say('moved'), [[tenantId, 'bookings'], [tenantId, 'free']], async () => {
        await api.call('changeBooking', { path, body: before, ifMatch: `"${moved.version}"` });
        onDay(dayAt(booking.startsAt, offered.zone));
      });
    });
  return (
    <Dialog title={`${say('move')}: ${serviceName}`} look="wide" onClose={onClose}>
      <Form submit={submit}>
        <Select
          label={say('provider')}
          pointer="/providerId"
          value={providerId}
          options={providersOf(offered, serviceId, say('anybody'))}
          onChange={(id) => {
            setProvider(id);
            choose(undefined);
          }}
        />
        <FreeTimes offered={offered} serviceId={serviceId} providerId={providerId} day={at.day} onDay={at.setDay} chosen={slot} choose={choose} error={at.error} />
        <Form.Buttons>
          <Button onClick={onClose}>{all('cancel')}</Button>
          <Form.Submit disabled={!slot}>{say('move')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}

/** Changes who a booking is for. */
export function Change({ booking, onClose }: { booking: Booking; onClose: () => void }): ReactNode {
  const say = useTexts(texts);
  const all = useTexts(common);
  const { tenantId } = useTenant();
  const done = useDone();
  const { bookingId, details, version } = booking;
  const [who, setWho] = useState(whoOf(details));
  const submit = async (): Promise<void> => {
    const path = { tenantId, bookingId };
    const changed = await api.call('changeBooking', { path, body: { details: detailsOf(who) }, ifMatch: `"${version}"` });
    onClose();
    done(say('changed'), [[tenantId, 'bookings']], () => api.call('changeBooking', { path, body: { details }, ifMatch: `"${changed.version}"` }));
  };
  return (
    <Dialog title={say('change')} onClose={onClose}>
      <Form submit={submit}>
        <WhoFields value={who} set={(part) => setWho((before) => ({ ...before, ...part }))} />
        <Form.Buttons>
          <Button onClick={onClose}>{all('cancel')}</Button>
          <Form.Submit>{all('save')}</Form.Submit>
        </Form.Buttons>
      </Form>
    </Dialog>
  );
}
