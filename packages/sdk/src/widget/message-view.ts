import type { Message, MessagePart, Source } from '../public.js';
import { h, icon } from './dom.js';
import { externalLink, renderMarkdown } from './markdown/render.js';
import { safeAddress } from './markdown/parse.js';
import { fill, type Texts } from './texts.js';

/** What a view of messages needs to know of its surroundings. */
export interface ViewContext {
  texts: Texts;
  locale: string;
  tenantName: string;
  /** Origins that pictures may come from; others would tell a third party who reads here. */
  imageOrigins: string[];
}

/** The name that stands, unseen, before each message for those who hear it. */
export function authorName(role: Message['role'], context: ViewContext): string {
  const { texts, tenantName } = context;
  return { contact: texts.you, agent: tenantName, human: texts.team, system: texts.notice }[role];
}

/** The content of a message of anybody but the visitor. */
export function renderParts(parts: MessagePart[], context: ViewContext): Node[] {
  return parts.flatMap((part) => renderPart(part, context));
}

/** Text exactly as it was typed, line breaks included. */
export function renderPlain(text: string): Node[] {
  return text.split('\n').flatMap((line, index) => (index ? [h('br'), document.createTextNode(line)] : [document.createTextNode(line)]));
}

function renderPart(part: MessagePart, context: ViewContext): Node[] {
  const { texts } = context;
  const text = (field: string): string | undefined => (typeof part[field] === 'string' ? part[field] : undefined);
  const url = safeAddress(text('url') ?? '');
  if (part.type === 'text') return renderMarkdown(part.text ?? '', texts.newTab);
  if (part.type === 'image' && url) {
    const alt = text('alt') ?? text('caption') ?? texts.image;
    if (context.imageOrigins.includes(new URL(url).origin)) return [h('img', { src: url, alt, loading: 'lazy' })];
    return [h('p', {}, externalLink(url, texts.newTab, alt))];
  }
  if (part.type === 'file' && url) {
    return [h('p', {}, externalLink(url, texts.newTab, text('name') ?? texts.file))];
  }
  // A kind of part that this version does not know still says what it can in words.
  const words = part.text ?? text('title') ?? text('caption') ?? text('alt') ?? text('fallback');
  return words ? renderMarkdown(words, texts.newTab) : [h('p', { class: 'unsupported' }, texts.unsupported)];
}

/** Where an answer comes from, in a line below it. */
export function renderSources(sources: Source[], context: ViewContext): HTMLElement | undefined {
  const titles = [...new Set(sources.map((source) => source.title))];
  if (!titles.length) return undefined;
  const { texts } = context;
  const label = titles.length > 1 ? texts.sourcesMany : texts.sources;
  return h('div', { class: 'sources' }, icon('source'), h('span', {}, label, h('bdi', {}, titles.join(' · '))));
}

/** A round picture of the tenant: the logo where the page may load it, else the first letter of the name. */
export function renderAvatar(logoUrl: string | null | undefined, context: ViewContext): HTMLElement {
  const letter = Array.from(context.tenantName.trim())[0] ?? '';
  const avatar = h('span', { class: 'avatar', 'aria-hidden': 'true' }, letter.toLocaleUpperCase(context.locale));
  const url = safeAddress(logoUrl ?? '');
  if (url && context.imageOrigins.includes(new URL(url).origin)) {
    const image = h('img', { src: url, alt: '' });
    image.onload = () => avatar.replaceChildren(image);
    // Not in the page until it has loaded: a missing logo leaves the letter.
    image.onerror = null;
  }
  return avatar;
}

export const typingLabel = (context: ViewContext): string => fill(context.texts.typing, { name: context.tenantName });
