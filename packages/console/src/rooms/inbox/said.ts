import type { Schemas } from '@misy/api-client';

export type Message = Schemas['Message'];
type Page = Schemas['SaidPage'];

/** What was said in a conversation, as far as it is loaded, without gaps. */
export interface Said {
  items: readonly Message[];
  deliveries: Readonly<Record<string, Schemas['DeliveryOfMessage']>>;
  /** Where the messages before these are, if there are any. */
  earlier: string | undefined;
}

const byId = (page: Page): Record<string, Schemas['DeliveryOfMessage']> => Object.fromEntries(page.deliveries.map((one) => [one.messageId, one]));

/** The newest page, joined to what was known. What is too far behind to be joined without a gap is left out. */
export function withNewest(known: Said | undefined, page: Page): Said {
  const fresh: Said = { items: page.items, deliveries: byId(page), earlier: page.nextCursor ?? undefined };
  const [first] = page.items;
  const last = known?.items.at(-1);
  if (!known || !first || !last || last.sequence < first.sequence - 1) return fresh;
  const before = known.items.filter(({ sequence }) => sequence < first.sequence);
  return { items: [...before, ...page.items], deliveries: { ...known.deliveries, ...fresh.deliveries }, earlier: before.length > 0 ? known.earlier : fresh.earlier };
}

/** The page before, put in front. */
export function withEarlier(known: Said, page: Page): Said {
  return { items: [...page.items, ...known.items], deliveries: { ...byId(page), ...known.deliveries }, earlier: page.nextCursor ?? undefined };
}
