import type { Schemas } from '@misy/api-client';
import type { Message, MessagePart } from '../public.js';
import type { ViewContext } from '../widget/message-view.js';
import { objectsOf, textOf, type Fields } from './read.js';
import type { Rendered } from './render.js';
import { wordsFor } from './words.js';

const FILE = 'M6 3.5h8l4 4v13H6Z M14 3.5v4h4';
/** Where somebody tries the program out, without TLS. */
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];
/** Links to files are good for a quarter of an hour; they are asked for anew a little before. */
const FRESH_MS = 12 * 60_000;

/** A picture, a sound, a film or another file. */
export function renderMedia(part: MessagePart, message: Message, context: ViewContext): Rendered {
  const { texts, kit } = context;
  const { h, renderMarkdown } = kit;
  const kind = part.type as 'image' | 'audio' | 'video' | 'file';
  const caption = textOf(part.caption);
  const words = caption ? renderMarkdown(caption, texts.newTab) : [];
  const shown = kind === 'image' ? picture(part, message, context) : kind === 'file' ? undefined : player(kind, part, message, context);
  if (shown) return { within: [shown, ...words] };
  const link = fileLink(part, message, context, textOf(part.name) ?? textOf(part.alt) ?? { ...texts, ...wordsFor(context.locale) }[kind]);
  return link ? { within: [h('p', {}, link), ...words] } : {};
}

/** A picture that may be shown here; otherwise a link to it, which nobody's browser follows by itself. */
export function picture(media: Fields, message: Message, context: ViewContext): HTMLElement | undefined {
  const { h } = context.kit;
  const words = textOf(media.alt) ?? textOf(media.caption) ?? textOf(media.name) ?? context.texts.image;
  const source = shownHere(media, context);
  const link = fileLink(media, message, context, words);
  if (!source || !link) return link;
  const image = h('img', { alt: words, loading: 'lazy', decoding: 'async' });
  link.replaceChildren(image, h('span', { class: 'sr' }, ` (${context.texts.newTab})`));
  link.className = 'picture';
  load(image, source, media, message, context, () => link.replaceChildren(words));
  return link;
}

function player(kind: 'audio' | 'video', media: Fields, message: Message, context: ViewContext): HTMLElement | undefined {
  const source = shownHere(media, context);
  if (!source) return undefined;
  const { h } = context.kit;
  const label = textOf(media.alt) ?? textOf(media.name) ?? wordsFor(context.locale)[kind];
  const element = h(kind, { controls: true, preload: kind === 'video' ? 'metadata' : 'none', playsinline: true, 'aria-label': label });
  load(element, source, media, message, context, () => {
    const link = fileLink(media, message, context, label);
    if (link) element.replaceWith(link);
  });
  return element;
}

/** Shows what is there. A link that has become too old is asked for anew once; what cannot be shown at all becomes a link. */
function load(element: HTMLImageElement | HTMLMediaElement, source: string, media: Fields, message: Message, context: ViewContext, fail: () => void): void {
  let tried = false;
  element.addEventListener('error', () => {
    if (tried) {
      fail();
      return;
    }
    tried = true;
    void renewed(media, message, context).then((fresh) => (fresh ? (element.src = fresh) : fail()));
  });
  element.src = source;
}

function fileLink(media: Fields, message: Message, context: ViewContext, words: string): HTMLAnchorElement | undefined {
  const address = context.kit.safeAddress(textOf(media.url) ?? '');
  if (!address) return undefined;
  const { externalLink, icon } = context.kit;
  const link = externalLink(address, context.texts.newTab, icon('file', FILE), words);
  link.className = 'file';
  if (!media.fileId) return link;
  let got = Date.now();
  link.addEventListener('click', (event) => {
    if (Date.now() - got < FRESH_MS) return;
    event.preventDefault();
    void renewed(media, message, context).then((fresh) => {
      got = Date.now();
      link.href = fresh ?? link.href;
      link.click();
    });
  });
  return link;
}

/**
 * The address of what the chat may show by itself: a file of the server, and nothing else. Whoever writes answers could have the
 * visitor's browser call any other address: one of a third party, who learns who reads; or one of the page's own, with their cookies.
 */
function shownHere(media: Fields, { kit, filesAt }: ViewContext): string | undefined {
  const address = kit.safeAddress(textOf(media.url) ?? '');
  if (!address) return undefined;
  const { href, hostname, pathname, protocol } = new URL(address);
  const isSealed = protocol === 'https:' || LOOPBACK.includes(hostname);
  return isSealed && href.startsWith(filesAt) && /\/files\/\w+$/.test(pathname) ? address : undefined;
}

/** The address of a file as the server gives it now. */
async function renewed(media: Fields, message: Message, context: ViewContext): Promise<string | undefined> {
  if (!media.fileId) return undefined;
  const { sessionId, sequence } = message;
  const path = `/sessions/${sessionId ?? ''}/messages?after=${sequence - 1}&limit=1`;
  const page = await context.gateway.json<Schemas['MessagePage']>('GET', path).catch(() => undefined);
  const all = objectsOf(page?.items[0]?.parts).flatMap((part) => [part, part.image as Fields, ...objectsOf(part.cards).map((card) => card.image as Fields)]);
  return context.kit.safeAddress(textOf(all.find((one) => (one as Fields | undefined)?.fileId === media.fileId)?.url) ?? '');
}
