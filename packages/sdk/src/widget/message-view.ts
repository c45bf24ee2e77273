import type { Gateway } from '../core/gateway.js';
import type { Parts } from '../core/parts.js';
import type { Message, MessagePart, Source } from '../public.js';
import { h, icon } from './dom.js';
import type { Kit } from './kit.js';
import { renderMarkdown } from './markdown/render.js';
import { safeAddress } from './markdown/parse.js';
import { fill, type Texts } from './texts.js';

/** What a view of messages needs to know of its surroundings. */
export interface ViewContext {
  texts: Texts;
  locale: string;
  tenantName: string;
  /** Where the files of the server are: the one place that what is said may have the chat load something from. */
  filesAt: string;
  kit: Kit;
  /** The file that shows what is more than text. Settles when it is there, however often it must be asked for. */
  rich: () => Promise<Parts['rich']>;
  /** Adds styles to the chat. */
  adopt: (styles: string) => void;
  /** The visitor presses something that stands in a message. */
  press: (message: Message, id: string, title: string) => void;
  gateway: Gateway;
}

/** The name that stands, unseen, before each message for those who hear it. */
export function authorName(role: Message['role'], context: ViewContext): string {
  const { texts, tenantName } = context;
  return { contact: texts.you, agent: tenantName, human: texts.team, system: texts.notice }[role];
}

/** Text exactly as it was typed, line breaks included. */
export function renderPlain(text: string): Node[] {
  return text.split('\n').flatMap((line, index) => (index ? [h('br'), new Text(line)] : [new Text(line)]));
}

/** A part in words. A kind that this version does not know says what it can. What the visitor wrote stands as it was typed. */
export function renderWords(part: MessagePart, role: Message['role'], { texts }: ViewContext): Node[] {
  const fields = ['text', 'title', 'caption', 'alt', 'name', 'fallback', 'emoji'];
  const words = fields.map((field) => part[field]).find((word) => typeof word === 'string' && word !== '') as string | undefined;
  if (words && role === 'contact') return renderPlain(words);
  if (words || part.type === 'text') return renderMarkdown(words ?? '', texts.newTab);
  return [h('p', {}, texts.unsupported)];
}

/** Where an answer comes from, in a line below it. */
export function renderSources(sources: Source[], context: ViewContext): HTMLElement | undefined {
  const titles = [...new Set(sources.map((source) => source.title))];
  if (!titles.length) return undefined;
  const { texts } = context;
  const label = titles.length > 1 ? texts.sourcesMany : texts.sources;
  return h('div', { class: 'sources' }, icon('source'), h('span', {}, label, h('bdi', {}, titles.join(' · '))));
}

/**
 * A round picture of the tenant: the logo where the page has it, else the first letter of the name. It is asked for without
 * cookies: whoever chooses the logo must not call an address of the page in the visitor's name.
 */
export function renderAvatar(logoUrl: string | null | undefined, context: ViewContext): HTMLElement {
  const letter = Array.from(context.tenantName.trim())[0] ?? '';
  const avatar = h('span', { class: 'avatar', 'aria-hidden': 'true' }, letter.toLocaleUpperCase(context.locale));
  const url = safeAddress(logoUrl ?? '');
  if (url && new URL(url).origin === location.origin) {
    const image = h('img', { alt: '' });
    // Not in the page until it has loaded: a missing logo leaves the letter.
    image.onload = () => avatar.replaceChildren(image);
    const show = async (): Promise<void> => {
      const answer = await fetch(url, { credentials: 'omit' });
      image.src = URL.createObjectURL(await answer.blob());
    };
    show().catch(() => undefined);
  }
  return avatar;
}

export const typingLabel = (context: ViewContext): string => fill(context.texts.typing, { name: context.tenantName });
