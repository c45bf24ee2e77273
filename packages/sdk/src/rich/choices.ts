import type { Message, MessagePart } from '../public.js';
import type { ViewContext } from '../widget/message-view.js';
import { objectsOf, textOf, type Fields } from './read.js';
import type { Rendered } from './render.js';
import { wordsFor } from './words.js';

const CHECK = 'M5 12.5l4.5 4.5L19 7.5';

/** Things to press, of which some know that they were. */
export class Choices {
  private readonly buttons = new Map<HTMLElement, string>();

  constructor(
    private readonly message: Message,
    private readonly around: ViewContext,
    /** One choice answers all: then none of the others can be pressed any more. */
    private readonly once: boolean,
  ) {}

  /** What is pressed, or a link to be followed; nothing where there is nothing to say or to press. */
  button(choice: Fields, look: string, ...content: Node[]): HTMLElement | undefined {
    const { around, message } = this;
    const { externalLink, h, safeAddress } = around.kit;
    const [id, title] = [textOf(choice.id), textOf(choice.title)];
    if (!title) return undefined;
    const words = content.length ? content : [new Text(title)];
    if (choice.url !== undefined) {
      const address = safeAddress(textOf(choice.url) ?? '');
      if (!address) return undefined;
      const link = externalLink(address, around.texts.newTab, ...words);
      link.className = look;
      link.dir = 'auto';
      return link;
    }
    if (!id) return undefined;
    const press = (): void => {
      // Not by `disabled`, which would take the focus away from who has just pressed it.
      if (button.ariaDisabled !== 'true') around.press(message, id, title);
    };
    const button = h('button', { type: 'button', class: look, dir: 'auto', onclick: press }, ...words);
    this.buttons.set(button, id);
    return button;
  }

  readonly mark = (chosen: ReadonlySet<string>): void => {
    const { h, icon } = this.around.kit;
    const ids = [...this.buttons.values()];
    const over = this.once && ids.some((id) => chosen.has(id));
    for (const [button, id] of this.buttons) {
      const isChosen = chosen.has(id);
      if (over || isChosen) button.ariaDisabled = 'true';
      if (!isChosen || button.classList.contains('chosen')) continue;
      button.classList.add('chosen');
      button.append(icon('check', CHECK), h('span', { class: 'sr' }, ` (${wordsFor(this.around.locale).chosen})`));
    }
  };
}

/** A text with buttons below. */
export function renderButtons(part: MessagePart, message: Message, context: ViewContext): Rendered {
  const choices = new Choices(message, context, true);
  const buttons = objectsOf(part.buttons).map((button) => choices.button(button, 'chip'));
  if (!buttons.some(Boolean)) return {};
  const group = { class: 'choices', role: 'group', 'aria-label': wordsFor(context.locale).choices };
  return { below: [context.kit.h('div', group, ...buttons)], mark: choices.mark };
}

/** A text with a list to choose from. */
export function renderList(part: MessagePart, message: Message, context: ViewContext): Rendered {
  const { h } = context.kit;
  const choices = new Choices(message, context, true);
  const sections = objectsOf(part.sections).map((section) => {
    const title = textOf(section.title);
    const items = objectsOf(section.items).map((item) => {
      const [name, more] = [textOf(item.title) ?? '', textOf(item.description)];
      return choices.button({ id: item.id, title: name }, 'item', h('span', { class: 'words' }, h('b', {}, name), more && h('span', {}, more)));
    });
    const group = { class: 'section', role: 'group', 'aria-label': title ?? wordsFor(context.locale).choices };
    return items.some(Boolean) && h('div', group, title && h('p', { class: 'section-title', dir: 'auto', 'aria-hidden': 'true' }, title), ...items);
  });
  return sections.some(Boolean) ? { below: [h('div', { class: 'options' }, ...sections)], mark: choices.mark } : {};
}
