import type { ReactNode } from 'react';
import { useTenant } from '../../frame/tenant.js';
import { Badge, Button, Fact, Facts, Time, type Tone } from '../../parts/basics.js';
import { Dialog } from '../../parts/dialog.js';
import { useTexts } from '../../words/words.js';
import type { Clock } from './clock.js';
import type { Booking } from './offered.js';
import { texts } from './texts.js';

const TONES = { held: 'warn', booked: 'good', cancelled: 'calm' } as const satisfies Record<Booking['state'], Tone>;

/** Where a booking stands. */
export function State({ state }: { state: Booking['state'] }): ReactNode {
  const say = useTexts(texts);
  return <Badge tone={TONES[state]}>{say(state)}</Badge>;
}

/** Whether a booking can still be had at another time. */
export const canMove = ({ state, startsAt }: Booking): boolean => state !== 'cancelled' && Date.parse(startsAt) > Date.now();

interface DetailsProps {
  booking: Booking;
  clock: Clock;
  onClose: () => void;
  /** What can be done with it; nothing by who may only read. */
  act: ((deed: 'move' | 'change' | 'cancel') => void) | undefined;
}

/** All that is known of a booking. */
export function Details({ booking, clock, onClose, act }: DetailsProps): ReactNode {
  const say = useTexts(texts);
  const { tenantId } = useTenant();
  const { bookingId, serviceName, providerName, startsAt, endsAt, state, heldUntil, createdAt, updatedAt } = booking;
  const { name, phone, email, partySize, note } = booking.details;
  const calendar = `/api/meta-agent/tenants/${tenantId}/bookings/${bookingId}/calendar`;
  return (
    <Dialog title={serviceName} onClose={onClose}>
      <p className="booking-when">
        {say('at', { day: clock.dayOf(startsAt), from: clock.hour(startsAt), until: clock.hour(endsAt) })} <State state={state} />
      </p>
      <Facts>
        <Fact name={say('provider')}>{providerName}</Fact>
        <Fact name={say('who')}>{name ?? say('nameless')}</Fact>
        {phone && (
          <Fact name={say('phone')}>
            <a href={`tel:${phone.replace(/[^+\d]/g, '')}`}>{phone}</a>
          </Fact>
        )}
        {email && (
          <Fact name={say('email')}>
            <a href={`mailto:${encodeURIComponent(email)}`}>{email}</a>
          </Fact>
        )}
        {typeof partySize === 'number' && <Fact name={say('party')}>{partySize}</Fact>}
        {state === 'held' && heldUntil && (
          <Fact name={say('held_until')}>
            <Time at={heldUntil} exact />
          </Fact>
        )}
        <Fact name={say('made_at')}>
          <Time at={createdAt} exact />
        </Fact>
        {updatedAt !== createdAt && (
          <Fact name={say('changed_at')}>
            <Time at={updatedAt} exact />
          </Fact>
        )}
        <Fact name={say('booking_id')}>
          <code>{bookingId}</code>
        </Fact>
      </Facts>
      {note && (
        <div className="field">
          <span className="label">{say('note')}</span>
          <p className="note">{note}</p>
        </div>
      )}
      <p>
        <a href={calendar} download="booking.ics">
          {say('calendar')}
        </a>
      </p>
      {act && state !== 'cancelled' && (
        <div className="buttons">
          <Button look="danger" onClick={() => act('cancel')}>
            {say('cancel')}
          </Button>
          <span className="grow" />
          <Button onClick={() => act('change')}>{say('change')}</Button>
          {canMove(booking) && (
            <Button look="primary" onClick={() => act('move')}>
              {say('move')}
            </Button>
          )}
        </div>
      )}
    </Dialog>
  );
}
