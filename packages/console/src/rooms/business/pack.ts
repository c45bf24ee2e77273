import type { Schemas } from '@misy/api-client';

export type Pack = Schemas['ContextPack'];
export type Faq = NonNullable<Pack['faq']>[number];
export type Service = NonNullable<Pack['services']>[number];
export type Hours = NonNullable<Pack['openingHours']>;
export type Day = keyof Hours['weekly'];
export type Interval = readonly [string, string];
export type SpecialDay = NonNullable<Hours['exceptions']>[number];

export const DAYS: readonly Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** Changes the pack that is edited. */
export type Change = (part: Partial<Pack>) => void;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isListOrNothing = (value: unknown): boolean => value === undefined || (Array.isArray(value) && value.every(isRecord));
const isRecordOrNothing = (value: unknown): boolean => value === undefined || value === null || isRecord(value);

/** Whether something that was typed has the shape that the form can show. The API judges the rest. */
export function isPack(value: unknown): value is Pack {
  if (!isRecord(value)) return false;
  const { openingHours } = value;
  const hasTexts = ['displayName', 'industry', 'locale', 'timezone', 'currency'].every((name) => typeof value[name] === 'string');
  const hasLists = ['faq', 'services', 'providers', 'salesStrategies'].every((name) => isListOrNothing(value[name]));
  const hasParts = ['branding', 'escalation', 'policies', 'bookingPolicy', 'openingHours'].every((name) => isRecordOrNothing(value[name]));
  const hasWeek = !isRecord(openingHours) || (isRecord(openingHours.weekly) && isListOrNothing(openingHours.exceptions));
  return hasTexts && hasLists && hasParts && hasWeek && isRecord(value.contact);
}

/** Members of the pack that differ. */
export function differences(one: Pack, other: Pack): string[] {
  const text = (value: unknown): string => JSON.stringify([value]);
  const members = new Map<string, unknown>(Object.entries(other));
  const names = new Set([...Object.keys(one), ...members.keys()]);
  const before = new Map<string, unknown>(Object.entries(one));
  return [...names].filter((name) => text(before.get(name)) !== text(members.get(name)));
}

/** An id for something new, which nobody sees. */
export const newId = (kind: string): string => `${kind}-${crypto.randomUUID().slice(0, 8)}`;

/** A text that may be missing. */
export const orNothing = (text: string): string | undefined => (text === '' ? undefined : text);
