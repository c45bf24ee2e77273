import type { Parts } from '../core/parts.js';
import type { Message, MessagePart } from '../public.js';
import { h } from './dom.js';
import { renderWords, type ViewContext } from './message-view.js';

/** Kinds that a file of their own shows. */
const RICH = ['buttons', 'list', 'card', 'carousel', 'location', 'contact', 'image', 'audio', 'video', 'file'];

let loaded: Parts['rich'] | undefined;

/** The parts of a message: within its bubble, and below it. */
export class PartsView {
  readonly within: Node[];
  readonly below = h('div', { class: 'below' });
  private marks: ((chosen: ReadonlySet<string>) => void)[] = [];
  private chosen: ReadonlySet<string> = new Set();

  constructor(message: Message, bubble: HTMLElement, context: ViewContext) {
    const slots: [MessagePart, HTMLElement][] = [];
    this.within = message.parts.flatMap((part) => {
      const words = renderWords(part, message.role, context);
      if (!RICH.includes(part.type)) return words;
      const slot = h('div', { class: 'part' }, ...words);
      slots.push([part, slot]);
      return [slot];
    });
    const dress = ({ renderRich }: Parts['rich']): void => {
      for (const [part, slot] of slots) {
        const { within, below, mark } = renderRich(part, message, context);
        if (within) slot.replaceChildren(...within);
        this.below.append(...(below ?? []));
        if (mark) this.marks.push(mark);
        if (!slot.childNodes.length) slot.remove();
      }
      // A bubble with nothing left but its author's name is none.
      bubble.classList.toggle('bare', this.within.every((node) => slots.some(([, slot]) => slot === node && !slot.childNodes.length)));
      this.mark(this.chosen);
    };
    if (!slots.length) return;
    if (loaded) dress(loaded);
    else
      void context.rich().then((rich) => {
        loaded = rich;
        dress(rich);
      });
  }

  /** Shows what the visitor has pressed here. */
  mark(chosen: ReadonlySet<string>): void {
    this.chosen = chosen;
    this.marks.forEach((mark) => mark(chosen));
  }
}
