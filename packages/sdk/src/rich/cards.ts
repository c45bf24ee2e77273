import type { Message } from '../public.js';
import type { ViewContext } from '../widget/message-view.js';
import { Choices } from './choices.js';
import { picture } from './media.js';
import { objectsOf, textOf, type Fields } from './read.js';
import type { Rendered } from './render.js';
import { wordsFor } from './words.js';

/** A card, or several side by side. `text`: what is said above them. */
export function renderCards(cards: Fields[], message: Message, context: ViewContext, text?: string): Rendered {
  const { h } = context.kit;
  const choices = new Choices(message, context, false);
  const shown = cards.map((card) => renderCard(card, choices, message, context)).filter((card) => card !== undefined);
  const [only] = shown;
  if (!only) return {};
  const within = text ? undefined : [];
  if (shown.length === 1) return { within, below: [only], mark: choices.mark };
  // What scrolls can be scrolled by keys, too.
  const row = { class: 'carousel', role: 'group', tabindex: 0, 'aria-label': wordsFor(context.locale).cards };
  return { within, below: [h('div', row, ...shown)], mark: choices.mark };
}

function renderCard(card: Fields, choices: Choices, message: Message, context: ViewContext): HTMLElement | undefined {
  const { h, renderMarkdown } = context.kit;
  const [title, text] = [textOf(card.title), textOf(card.text)];
  if (!title) return undefined;
  const buttons = objectsOf(card.buttons).map((button) => choices.button(button, 'row'));
  const details = card.url === undefined ? undefined : choices.button({ url: card.url, title: wordsFor(context.locale).details }, 'row');
  const image = typeof card.image === 'object' && card.image !== null && picture(card.image as Fields, message, context);
  return h(
    'div',
    { class: 'card', role: 'group', 'aria-label': title, dir: 'auto' },
    image,
    h('div', { class: 'card-text' }, h('b', {}, title), ...(text ? renderMarkdown(text, context.texts.newTab) : [])),
    details,
    ...buttons,
  );
}
