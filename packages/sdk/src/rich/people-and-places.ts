import type { MessagePart } from '../public.js';
import type { ViewContext } from '../widget/message-view.js';
import { textOf, textsOf } from './read.js';
import type { Rendered } from './render.js';
import { wordsFor } from './words.js';

const PIN = 'M12 21s7-6.2 7-11.5a7 7 0 0 0-14 0C5 14.8 12 21 12 21Z M12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z';

/** A place. Its map is one click away: shown here, it would tell a third party who reads. */
export function renderLocation(part: MessagePart, { kit, locale, texts }: ViewContext): Rendered {
  const { externalLink, h, icon } = kit;
  const [latitude, longitude] = [Number(part.latitude ?? NaN), Number(part.longitude ?? NaN)];
  const known = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
  const [name, address] = [textOf(part.name), textOf(part.address)];
  if (!known && !name && !address) return {};
  const map = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=17/${latitude}/${longitude}`;
  const lines = [name && h('b', {}, name), address && h('span', {}, address), known && externalLink(map, texts.newTab, wordsFor(locale).map)];
  return { within: [h('div', { class: 'entry' }, icon('pin', PIN), h('div', { class: 'words' }, ...lines))] };
}

/** Somebody to get in touch with. */
export function renderContact(part: MessagePart, { kit, texts }: ViewContext): Rendered {
  const { externalLink, h, icon, safeAddress } = kit;
  const [name, organization] = [textOf(part.name), textOf(part.organization)];
  if (!name) return {};
  const link = (kind: string, value: string): HTMLElement => {
    const address = safeAddress(`${kind}:${kind === 'tel' ? value.replace(/[^+\d]/g, '') : encodeURIComponent(value).replace('%40', '@')}`);
    return h('bdi', {}, address ? externalLink(address, texts.newTab, value) : value);
  };
  const lines = [
    ...textsOf(part.phones).map((phone) => link('tel', phone)),
    ...textsOf(part.emails).map((email) => link('mailto', email)),
  ];
  return {
    within: [h('div', { class: 'entry' }, icon('person'), h('div', { class: 'words' }, h('b', {}, name), organization && h('span', {}, organization), ...lines))],
  };
}
