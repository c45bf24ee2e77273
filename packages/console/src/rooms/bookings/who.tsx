import type { Schemas } from '@misy/api-client';
import type { ReactNode } from 'react';
import { Area, Field } from '../../parts/form.js';
import { useTexts } from '../../words/words.js';
import { texts } from './texts.js';

/** Who a booking is for, as it is filled in. */
export interface Who {
  name: string;
  phone: string;
  email: string;
  partySize: string;
  note: string;
}

export const NOBODY: Who = { name: '', phone: '', email: '', partySize: '', note: '' };

export const whoOf = (details: Schemas['BookingDetails']): Who => ({
  name: details.name ?? '',
  phone: details.phone ?? '',
  email: details.email ?? '',
  partySize: typeof details.partySize === 'number' ? String(details.partySize) : '',
  note: details.note ?? '',
});

/** What is sent: nothing for what was left empty. */
export const detailsOf = ({ name, phone, email, partySize, note }: Who): Schemas['BookingDetails'] => ({
  name: name.trim() || null,
  phone: phone.trim() || null,
  email: email.trim() || null,
  partySize: partySize.trim() === '' ? null : Number(partySize),
  note: note.trim() || null,
});

/** Fields for who a booking is for. The API says where they stand in what is sent. */
export function WhoFields({ value, set }: { value: Who; set: (part: Partial<Who>) => void }): ReactNode {
  const say = useTexts(texts);
  return (
    <>
      <Field label={say('name')} pointer="/details/name" value={value.name} onChange={(name) => set({ name })} autoComplete="off" />
      <div className="pair">
        <Field label={say('phone')} type="tel" optional pointer="/details/phone" value={value.phone} onChange={(phone) => set({ phone })} autoComplete="off" />
        <Field label={say('email')} type="email" optional pointer="/details/email" value={value.email} onChange={(email) => set({ email })} autoComplete="off" />
      </div>
      <Field label={say('party')} type="number" min={1} max={1000} optional pointer="/details/partySize" value={value.partySize} onChange={(partySize) => set({ partySize })} />
      <Area label={say('note')} hint={say('note_hint')} rows={2} optional pointer="/details/note" value={value.note} onChange={(note) => set({ note })} />
    </>
  );
}
