import { lengthOf, LONGEST_TEXT } from '../core/limits.js';
import { h, icon } from './dom.js';
import { fill, type Texts } from './texts.js';

const COUNT_FROM = LONGEST_TEXT - 400;

/** Where the visitor writes. Enter sends, Shift+Enter makes a new line. */
export class Composer {
  readonly element: HTMLFormElement;
  private readonly field: HTMLTextAreaElement;
  private readonly count = h('div', { class: 'count', role: 'status' });
  private readonly button: HTMLButtonElement;

  constructor(
    private readonly texts: Texts,
    private readonly submit: (text: string) => void,
  ) {
    this.field = h('textarea', {
      id: 'misy-message',
      rows: 1,
      dir: 'auto',
      placeholder: texts.placeholder,
      enterkeyhint: 'send',
      autocomplete: 'off',
      oninput: () => this.adapt(),
    });
    this.button = h('button', { type: 'submit', class: 'send', 'aria-label': texts.send }, icon('send'));
    const label = h('label', { class: 'sr', for: 'misy-message' }, texts.message);
    const onsubmit = (event: Event): void => {
      event.preventDefault();
      this.send();
    };
    const box = h('div', { class: 'box' }, this.field, this.button);
    this.element = h('form', { class: 'composer', onsubmit }, label, box, this.count);
    this.adapt();
  }

  focus(): void {
    this.field.focus();
  }

  onKey(event: KeyboardEvent): void {
    // Enter that ends a composition (Japanese, Chinese, accents) belongs to the input method. Safari tells of its end before
    // that Enter, which it marks with the code 229.
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- nothing else tells
    const composing = event.isComposing || event.keyCode === 229;
    if (event.composedPath()[0] !== this.field || event.key !== 'Enter' || event.shiftKey || composing) return;
    event.preventDefault();
    this.send();
  }

  private send(): void {
    const text = this.field.value.trim();
    if (!text || lengthOf(text) > LONGEST_TEXT) return;
    this.field.value = '';
    this.adapt();
    this.submit(text);
    this.field.focus();
  }

  private adapt(): void {
    const { field } = this;
    const length = lengthOf(field.value.trim());
    const left = LONGEST_TEXT - length;
    // Through the object model, which a strict CSP allows, unlike a style attribute.
    field.style.height = 'auto';
    if (field.scrollHeight) field.style.height = `${field.scrollHeight}px`;
    this.button.setAttribute('aria-disabled', String(!length || left < 0));
    this.count.textContent =
      length < COUNT_FROM ? '' : fill(left < 0 ? this.texts.tooLong : this.texts.left, { n: Math.abs(left) });
    field.setAttribute('aria-invalid', String(left < 0));
  }
}
