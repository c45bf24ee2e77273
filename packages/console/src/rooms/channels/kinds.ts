import type { Schemas } from '@misy/api-client';
import type { Values } from '../../words/language.js';
import type { texts } from './texts.js';

/** Texts that need nothing filled in. */
type Plain = { [K in keyof typeof texts]: [] extends Values<(typeof texts)[K]> ? K : never }[keyof typeof texts];

export type Account = Schemas['ChannelAccount'];

/** Channels that have accounts, as they are offered. */
export const KINDS = ['whatsapp', 'messenger', 'instagram', 'api'] as const;
export type Kind = (typeof KINDS)[number];
export type VendorKind = Exclude<Kind, 'api'>;

export const isKind = (channel: string): channel is Kind => KINDS.some((kind) => kind === channel);
export const isVendorKind = (channel: string): channel is VendorKind => isKind(channel) && channel !== 'api';

/** Something that is filled in to connect an account, with where it is found. */
interface Wanted {
  name: 'phoneNumberId' | 'businessAccountId' | 'id' | 'accessToken' | 'appSecret';
  label: Plain;
  hint: Plain;
  /** Never shown again, to nobody. */
  isSecret?: true;
}

const APP_SECRET: Wanted = { name: 'appSecret', label: 'app_secret', hint: 'app_secret_hint', isSecret: true };

/** What each vendor's form asks for. */
export const WANTED: Readonly<Record<VendorKind, readonly Wanted[]>> = {
  whatsapp: [
    { name: 'phoneNumberId', label: 'phone_number_id', hint: 'phone_number_id_hint' },
    { name: 'businessAccountId', label: 'business_account_id', hint: 'business_account_id_hint' },
    { name: 'accessToken', label: 'access_token', hint: 'whatsapp_token_hint', isSecret: true },
    APP_SECRET,
  ],
  messenger: [
    { name: 'id', label: 'page_id', hint: 'page_id_hint' },
    { name: 'accessToken', label: 'page_token', hint: 'messenger_token_hint', isSecret: true },
    APP_SECRET,
  ],
  instagram: [
    { name: 'id', label: 'instagram_id', hint: 'instagram_id_hint' },
    { name: 'accessToken', label: 'page_token', hint: 'instagram_token_hint', isSecret: true },
    APP_SECRET,
  ],
};

/** What an account has of its own with its vendor. */
export interface AtVendor {
  kind: VendorKind;
  /** The number, the page or the account, by the vendor's id. */
  id: string;
  /** The business or the page that it belongs to. */
  of: string | undefined;
  webhookUrl: string;
  /** What the vendor says to prove that it calls; only when the account was made. */
  verifyToken: string | undefined;
  humanAgent: boolean | undefined;
}

export function vendorOf({ whatsapp, messenger, instagram }: Account): AtVendor | undefined {
  if (whatsapp) {
    const { phoneNumberId: id, businessAccountId, webhookUrl, verifyToken } = whatsapp;
    return { kind: 'whatsapp', id, of: businessAccountId ?? undefined, webhookUrl, verifyToken: verifyToken ?? undefined, humanAgent: undefined };
  }
  const kind = messenger ? 'messenger' : 'instagram';
  const account = messenger ?? instagram;
  if (!account) return undefined;
  const { id, pageId, webhookUrl, verifyToken, humanAgent } = account;
  return { kind, id, of: pageId ?? undefined, webhookUrl, verifyToken: verifyToken ?? undefined, humanAgent };
}

/** Why the program itself paused or disabled an account, or its vendor does not let it in, where that has words of its own. */
export const REASONS = ['gone', 'vendor_unauthorised', 'vendor_blocked', 'vendor_unreachable', 'vendor_throttled', 'vendor_unavailable', 'vendor_refused'] as const;
export type Reason = (typeof REASONS)[number];
export const isReason = (code: string): code is Reason => REASONS.some((reason) => reason === code);
