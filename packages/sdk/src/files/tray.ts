import type { Client } from '../core/client.js';
import type { Attachment, MisyError } from '../public.js';
import type { Kit } from '../widget/kit.js';
import styles from './files.css';
import { upload } from './upload.js';
import { wordsFor, type Words } from './words.js';

/** As many as a message carries. */
const MOST_FILES = 9;
/** Nothing that large is read into memory; the server's own limit is lower. */
const LARGEST = 100 * 1024 * 1024;
const FILE = 'M6 3.5h8l4 4v13H6Z M14 3.5v4h4';

interface Item {
  dom: HTMLElement;
  /** Once it is uploaded. */
  attachment?: Attachment;
  failed?: boolean;
  cancel: AbortController;
}

export interface TraySurroundings {
  client: Client;
  kit: Kit;
  locale: string;
  /** What the way to choose files is called. */
  label: string;
  adopt: (styles: string) => void;
  /** What may be sent has changed. */
  changed: () => void;
}

/** The files that a visitor is about to send, above the field: how far each is, what was wrong with it, and the way to drop it. */
export class Tray {
  readonly dom: HTMLElement;
  private readonly list: HTMLElement;
  private readonly notice: HTMLElement;
  private readonly picker: HTMLInputElement;
  private items: Item[] = [];
  private readonly words: Words;

  constructor(private readonly around: TraySurroundings) {
    const { adopt, kit, label, locale } = around;
    const { h } = kit;
    this.words = wordsFor(locale);
    adopt(styles);
    this.list = h('ul', { class: 'files', 'aria-label': this.words.attachments, hidden: true });
    this.notice = h('div', { class: 'notice', role: 'status' });
    this.picker = h('input', { type: 'file', multiple: true, hidden: true, tabindex: -1, 'aria-label': label });
    this.picker.addEventListener('change', () => {
      this.add(this.picker.files ?? []);
      this.picker.value = '';
    });
    this.dom = h('div', { class: 'tray' }, this.notice, this.list, this.picker);
  }

  /** Whether there is something that is not uploaded yet. */
  get isBusy(): boolean {
    return this.items.some(({ attachment, failed }) => !attachment && !failed);
  }

  get isReady(): boolean {
    return !this.isBusy && this.items.some(({ attachment }) => attachment);
  }

  /** Has the visitor choose files. */
  pick(): void {
    this.picker.click();
  }

  add(files: Iterable<File>): void {
    this.notice.textContent = '';
    for (const file of files) {
      if (this.items.length >= MOST_FILES) this.say(this.words.tooMany, { n: MOST_FILES });
      else if (file.size > LARGEST) this.say(this.words.tooLarge, { name: file.name });
      else void this.bring(file);
    }
  }

  /** What can be sent now. It leaves the tray. */
  take(): Attachment[] {
    const taken = this.items.flatMap(({ attachment }) => attachment ?? []);
    this.items.forEach(({ dom }) => dom.remove());
    this.items = [];
    this.notice.textContent = '';
    this.changed();
    return taken;
  }

  private async bring(file: File): Promise<void> {
    const { words } = this;
    const { client, kit } = this.around;
    const { fill, h, icon } = kit;
    const { name } = file;
    const bar = h('progress', { max: 1, value: 0, 'aria-label': fill(words.uploading, { name }) });
    const remove = h('button', { type: 'button', class: 'remove', 'aria-label': fill(words.remove, { name }) }, icon('close'));
    const size = new Intl.NumberFormat(undefined, { style: 'unit', unit: 'kilobyte', maximumFractionDigits: 0 });
    const label = h('span', { class: 'words' }, h('bdi', {}, name), h('small', {}, size.format(Math.ceil(file.size / 1024))), bar);
    const dom = h('li', {}, icon('file', FILE), label, remove);
    const item: Item = { dom, cancel: new AbortController() };
    remove.addEventListener('click', () => this.drop(item));
    this.items.push(item);
    this.list.append(dom);
    this.changed();
    try {
      item.attachment = await upload(client, file, (share) => (bar.value = share), item.cancel.signal);
      this.say(words.uploaded, { name });
    } catch (error) {
      if (item.cancel.signal.aborted) return;
      item.failed = true;
      dom.classList.add('failed');
      this.say(this.reason((error as Partial<MisyError>).status), { name });
    }
    bar.remove();
    this.changed();
  }

  private reason(status: number | undefined): string {
    const { words } = this;
    if (status === 413) return words.tooLarge;
    if (status === 402) return words.noRoom;
    return status === 415 || status === 422 ? words.notTaken : words.notUploaded;
  }

  private drop(item: Item): void {
    item.cancel.abort();
    const at = this.items.indexOf(item);
    this.items.splice(at, 1);
    item.dom.remove();
    this.notice.textContent = '';
    this.changed();
    // The focus goes to the next one, or back to where one writes.
    (this.items[Math.min(at, this.items.length - 1)]?.dom.querySelector('button') ?? this.dom.parentElement?.querySelector('textarea'))?.focus();
  }

  private say(text: string, values: Record<string, string | number>): void {
    this.notice.textContent = this.around.kit.fill(text, values);
  }

  private changed(): void {
    this.list.hidden = !this.items.length;
    this.around.changed();
  }
}
