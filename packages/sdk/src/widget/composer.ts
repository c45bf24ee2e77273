import { lengthOf, LONGEST_TEXT } from '../core/limits.js';
import type { Tray } from '../files/tray.js';
import type { Attachment } from '../public.js';
import { h, icon } from './dom.js';
import { fill, type Texts } from './texts.js';

const COUNT_FROM = LONGEST_TEXT - 400;

export interface ComposerActions {
  send: (text: string, attachments: Attachment[]) => void;
  /** Brings what holds files; nothing where the visitor may send none. `changed`: its contents have. */
  tray: ((changed: () => void) => Promise<Tray>) | undefined;
}

/** Where the visitor writes. Enter sends, Shift+Enter makes a new line. */
export class Composer {
  readonly dom: HTMLFormElement;
  private readonly field: HTMLTextAreaElement;
  private readonly count = h('div', { class: 'count', role: 'status' });
  private readonly button: HTMLButtonElement;
  private tray: Tray | undefined;
  private opening: Promise<Tray> | undefined;

  constructor(
    private readonly texts: Texts,
    private readonly actions: ComposerActions,
  ) {
    this.field = h('textarea', {
      id: 'misy-message',
      rows: 1,
      dir: 'auto',
      placeholder: texts.placeholder,
      enterkeyhint: 'send',
      autocomplete: 'off',
      oninput: () => this.adapt(),
      onpaste: (event: ClipboardEvent) => this.bring(event),
    });
    this.button = h('button', { type: 'submit', class: 'send', 'aria-label': texts.send }, icon('send'));
    const label = h('label', { class: 'sr', for: 'misy-message' }, texts.message);
    const onsubmit = (event: Event): void => {
      event.preventDefault();
      this.send();
    };
    // Browsers open the choice of files only right after a click: the tray is fetched a moment before.
    const prepare = (): void => this.withTray(() => undefined);
    const attach = { type: 'button', class: 'attach', 'aria-label': texts.attach, onclick: () => this.pick(), onfocus: prepare, onpointerenter: prepare };
    const box = h('div', { class: 'box' }, actions.tray && h('button', attach, icon('clip')), this.field, this.button);
    this.dom = h('form', { class: 'composer', onsubmit }, label, box, this.count);
    this.adapt();
  }

  focus(): void {
    this.field.focus();
  }

  /** Has the visitor choose files. */
  pick(): void {
    this.withTray((tray) => tray.pick());
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

  /** Takes files that are pasted or dropped, and lets them be dropped here; words are left to the browser. */
  readonly bring = (event: ClipboardEvent | DragEvent): void => {
    const data = 'clipboardData' in event ? event.clipboardData : event.dataTransfer;
    if (!this.actions.tray || !data?.types.includes('Files') || data.types.includes('text/plain')) return;
    event.preventDefault();
    const files = [...data.files];
    this.withTray((tray) => tray.add(files));
  };

  /** The tray comes when it is first needed, however often it must be asked for. */
  private withTray(act: (tray: Tray) => void): void {
    this.opening ??= this.actions.tray?.(() => this.adapt()).then((tray) => {
      this.dom.prepend(tray.dom);
      return (this.tray = tray);
    });
    this.opening?.then(act, () => (this.opening = undefined));
  }

  private send(): void {
    if (this.button.ariaDisabled === 'true') return;
    const text = this.field.value.trim();
    this.field.value = '';
    this.actions.send(text, this.tray?.take() ?? []);
    this.adapt();
    this.field.focus();
  }

  private adapt(): void {
    const { field } = this;
    const length = lengthOf(field.value.trim());
    const left = LONGEST_TEXT - length;
    // Through the object model, which a strict CSP allows, unlike a style attribute.
    field.style.height = 'auto';
    if (field.scrollHeight) field.style.height = `${field.scrollHeight}px`;
    this.button.ariaDisabled = String(!(length || this.tray?.isReady) || left < 0 || !!this.tray?.isBusy);
    this.count.textContent =
      length < COUNT_FROM ? '' : fill(left < 0 ? this.texts.tooLong : this.texts.left, { n: Math.abs(left) });
    field.setAttribute('aria-invalid', String(left < 0));
  }
}
