import { Link, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { api } from '../../api/client.js';
import { usePages } from '../../api/pages.js';
import { useTenant } from '../../frame/tenant.js';
import { Button, Empty, Page, Problem, Skeleton } from '../../parts/basics.js';
import { Confirm } from '../../parts/dialog.js';
import { useDone } from '../../parts/done.js';
import { Field, Select } from '../../parts/form.js';
import { Icon } from '../../parts/icon.js';
import { RowMenu } from '../../parts/menu.js';
import { Listed } from '../../parts/table.js';
import { useTexts } from '../../words/words.js';
import { useClock } from './clock.js';
import { type Day, dayAfter, dayAt, isDay, startOf } from './days.js';
import { canMove, Details, State } from './details.js';
import { Change, Move, NewBooking } from './editing.js';
import { type Booking, type Offered, useOffered } from './offered.js';
import { texts } from './texts.js';

/** What a business has booked, day by day. */
export default function Bookings(): ReactNode {
  const say = useTexts(texts);
  const { offered, error, again } = useOffered();
  if (offered) return <Days offered={offered} />;
  return <Page title={say('title')}>{error ? <Problem error={error} again={again} /> : <Skeleton lines={6} />}</Page>;
}

/** What is done with a booking, in a dialog of its own. */
interface Open {
  deed: 'details' | 'move' | 'change' | 'cancel';
  booking: Booking;
}

type States = '' | Booking['state'];

function Days({ offered }: { offered: Offered }): ReactNode {
  const say = useTexts(texts);
  const { tenantId, can } = useTenant();
  const { new: begins } = useSearch({ from: '/$tenantId' });
  const done = useDone();
  const clock = useClock(offered.zone);
  const today = dayAt(Date.now(), offered.zone);
  const [day, setDay] = useState<Day>(today);
  const [providerId, setProvider] = useState('');
  const [serviceId, setService] = useState('');
  const [state, setState] = useState<States>('');
  const [books, setBooks] = useState(begins ?? false);
  const [open, setOpen] = useState<Open>();
  const isFiltered = Boolean(providerId || serviceId || state);
  const isBookable = offered.services.some((service) => service.isBookable);
  const mayWrite = can('bookings:write');
  const bookings = usePages(
    [tenantId, 'bookings', day, providerId, state],
    (cursor, signal) =>
      api.call('listBookings', {
        path: { tenantId },
        query: { from: startOf(day, offered.zone), until: startOf(dayAfter(day), offered.zone), limit: 200, ...(providerId && { providerId }), ...(state && { state }), ...cursor },
        signal,
      }),
    { refetchInterval: 30_000 },
  );
  // The API knows no filter by service.
  const shown = { ...bookings, items: bookings.items.filter((booking) => !serviceId || booking.serviceId === serviceId) };
  const nameOf = (booking: Booking): string => booking.details.name ?? say('nameless');
  const close = (): void => setOpen(undefined);

  const cancel = async (booking: Booking): Promise<void> => {
    const { bookingId, version, contactId, startsAt, details } = booking;
    await api.call('cancelBooking', { path: { tenantId, bookingId }, ifMatch: `"${version}"` });
    // What was called off stays so: taking it back books the same again, if nobody else has the time by then.
    const body = { contactId, booking: { serviceId: booking.serviceId, providerId: booking.providerId, startsAt, details } };
    const idempotencyKey = crypto.randomUUID();
    const bookAgain = canMove(booking) ? () => api.call('createBooking', { path: { tenantId }, body, idempotencyKey }) : undefined;
    done(say('was_cancelled'), [[tenantId, 'bookings'], [tenantId, 'free']], bookAgain);
  };

  return (
    <Page
      title={say('title')}
      about={say('about', { zone: offered.zone })}
      actions={
        mayWrite &&
        isBookable && (
          <Button look="primary" icon="plus" onClick={() => setBooks(true)}>
            {say('new')}
          </Button>
        )
      }
    >
      {!isBookable && (
        <p className="notice">
          <Icon name="info" />
          <span>
            <span className="strong">{say('nothing_bookable')}.</span> {say('nothing_bookable_why')}
          </span>
          {can('context-pack:read') && (
            <Link className="link" to="/$tenantId/business" params={{ tenantId }}>
              {say('to_business')}
            </Link>
          )}
        </p>
      )}
      <div className="day-bar">
        <button type="button" className="icon-button" aria-label={say('day_before')} onClick={() => setDay(dayAfter(day, -1))}>
          <Icon name="left" />
        </button>
        <h2 aria-live="polite">{clock.day(day)}</h2>
        <button type="button" className="icon-button" aria-label={say('day_after')} onClick={() => setDay(dayAfter(day))}>
          <Icon name="right" />
        </button>
        {day !== today && <Button onClick={() => setDay(today)}>{say('today')}</Button>}
      </div>
      <div className="filters four">
        <Field label={say('day')} type="date" required value={day} onChange={(typed) => isDay(typed) && setDay(typed)} />
        <Select label={say('provider')} value={providerId} onChange={setProvider} options={[['', say('everybody')], ...offered.providers.map(({ id, name }) => [id, name] as const)]} />
        <Select label={say('service')} value={serviceId} onChange={setService} options={[['', say('all')], ...offered.services.map(({ id, name }) => [id, name] as const)]} />
        <Select
          label={say('state')}
          value={state}
          onChange={setState}
          options={[
            ['', say('all')],
            ['booked', say('booked')],
            ['held', say('held')],
            ['cancelled', say('cancelled')],
          ]}
        />
      </div>
      <Listed
        label={say('title')}
        pages={shown}
        keyOf={({ bookingId }) => bookingId}
        empty={
          <Empty icon="bookings" title={say(isFiltered ? 'none_filtered' : 'none')}>
            {say(isFiltered ? 'none_filtered_why' : 'none_why')}
          </Empty>
        }
        columns={[
          {
            name: say('time'),
            cell: (booking) => (
              <button type="button" className={booking.state === 'cancelled' ? 'link strong over' : 'link strong'} onClick={() => setOpen({ deed: 'details', booking })}>
                {clock.hour(booking.startsAt)} – {clock.hour(booking.endsAt)}
                <span className="hidden">, {nameOf(booking)}</span>
              </button>
            ),
            tight: true,
          },
          {
            name: say('who'),
            cell: (booking) => (
              <span>
                {nameOf(booking)}
                {booking.details.phone && <span className="quiet about">{booking.details.phone}</span>}
              </span>
            ),
          },
          { name: say('service'), cell: ({ serviceName }) => serviceName },
          { name: say('provider'), cell: ({ providerName }) => providerName },
          { name: say('state'), cell: (booking) => <State state={booking.state} />, tight: true },
        ]}
        actions={(booking) => (
          <RowMenu
            what={nameOf(booking)}
            groups={[
              [{ name: say('details'), act: () => setOpen({ deed: 'details', booking }) }],
              mayWrite && booking.state !== 'cancelled'
                ? [
                    ...(canMove(booking) ? [{ name: say('move'), act: () => setOpen({ deed: 'move', booking }) }] : []),
                    { name: say('change'), act: () => setOpen({ deed: 'change', booking }) },
                    { name: say('cancel'), danger: true, act: () => setOpen({ deed: 'cancel', booking }) },
                  ]
                : [],
            ]}
          />
        )}
      />
      {books && isBookable && <NewBooking offered={offered} day={day} onDay={setDay} onClose={() => setBooks(false)} />}
      {open?.deed === 'details' && <Details booking={open.booking} clock={clock} onClose={close} act={mayWrite ? (deed) => setOpen({ deed, booking: open.booking }) : undefined} />}
      {open?.deed === 'move' && <Move offered={offered} booking={open.booking} onDay={setDay} onClose={close} />}
      {open?.deed === 'change' && <Change booking={open.booking} onClose={close} />}
      {open?.deed === 'cancel' && (
        <Confirm title={say('cancel_title', { who: nameOf(open.booking) })} deed={say('cancel')} keep={say('keep')} act={() => cancel(open.booking)} onClose={close}>
          <p>{say('cancel_why')}</p>
        </Confirm>
      )}
    </Page>
  );
}
