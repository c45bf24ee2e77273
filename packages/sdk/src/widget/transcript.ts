import type { Action, Message, OutgoingMessage } from '../public.js';
import { dayLabel, sameDay, timeLabel } from './calendar.js';
import { h } from './dom.js';
import { authorName, renderPlain, renderSources, typingLabel, type ViewContext } from './message-view.js';
import { renderMarkdown } from './markdown/render.js';
import { PartsView } from './rich-parts.js';

/** One message in the list. Messages still on their way have no sequence yet and stand at the end. */
interface Entry {
  role: Message['role'];
  /** What the person is called who wrote it. */
  name: string | null | undefined;
  sequence: number;
  createdAt: Date;
  dom: HTMLElement;
  bubble: HTMLElement;
  day: HTMLElement;
  meta: HTMLElement;
  state: OutgoingMessage['state'];
  /** Whether it is nothing but files that are to be sent again. */
  missing?: boolean;
  /** How many files it names while it is on its way. */
  files?: number;
}

/** The conversation as it is read: ordered, grouped by author and day, kept scrolled to its end while one is there. */
export class Transcript {
  readonly dom: HTMLElement;
  private readonly inOrder: Entry[] = [];
  private readonly own = new Map<string, Entry>();
  /** By message: what can be pressed in it, and what the visitor has pressed. */
  private readonly views = new Map<string, PartsView>();
  private readonly pressed = new Map<string, Set<string>>();
  private readonly list = h('div', { class: 'list' });
  private readonly typing: HTMLElement;
  /** A message while it is being written. It is seen growing; heard is the whole, once it is there. */
  private readonly draft = h('div', { class: 'draft', 'aria-hidden': 'true' });

  constructor(
    private readonly around: ViewContext,
    private readonly retry: (clientMessageId: string) => void,
    private readonly again: (clientMessageId: string) => void,
    intro: Node[],
    outro: Node[],
  ) {
    const dots = h('span', { class: 'dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'));
    this.typing = h('div', { class: 'typing bubble', hidden: true }, dots, this.draft, h('span', { class: 'sr' }, typingLabel(around)));
    const label = around.texts.conversation;
    const log = { class: 'log', role: 'log', 'aria-live': 'polite', 'aria-label': label, tabindex: 0 };
    this.dom = h('div', log, ...intro, this.list, this.typing, ...outro);
  }

  /** While the history loads, nothing of it is read out. */
  set busy(busy: boolean) {
    this.dom.setAttribute('aria-busy', String(busy));
  }

  get hasOwnMessages(): boolean {
    return this.inOrder.some((entry) => entry.role === 'contact');
  }

  /** Forgets the messages of a session that is over, but not those still on their way. */
  clear(): void {
    for (const entry of this.inOrder.filter(({ sequence }) => sequence !== Infinity)) {
      entry.dom.remove();
      this.inOrder.splice(this.inOrder.indexOf(entry), 1);
    }
  }

  showMessage(message: Message): void {
    const atEnd = this.atEnd;
    const held = this.own.get(message.clientMessageId ?? '');
    const entry = held ?? this.entryFor(message);
    // What was sent as names of files comes back as what they are.
    if (held && message.parts.some(({ type }) => type !== 'text')) this.fillIn(held, message);
    entry.createdAt = new Date(message.createdAt);
    entry.state = 'sent';
    this.place(entry, message.sequence);
    this.note(message.action);
    if (message.role !== 'contact') {
      // What was seen growing does not rise once more.
      entry.dom.classList.toggle('still', !!this.draft.firstChild);
      this.showTyping(false);
    }
    this.settle(atEnd);
  }

  showOutgoing(message: OutgoingMessage): void {
    const id = message.clientMessageId;
    let entry = this.own.get(id);
    // What becomes of a message moves nobody who reads further up.
    const toEnd = !entry || this.atEnd;
    const files = message.attachments ?? [];
    const said = (): Node[] => [
      ...renderPlain(message.text),
      ...files.map(({ name }) => h('div', { class: 'part' }, name ?? this.around.texts.file)),
    ];
    if (!entry) {
      entry = this.newEntry('contact', new Date(message.createdAt), said());
      this.own.set(id, entry);
      this.note(message.action);
    } else if (entry.sequence === Infinity && entry.files !== files.length) {
      // Some of them have to be sent again, and stand below.
      while (entry.bubble.childNodes.length > 1) entry.bubble.lastChild?.remove();
      entry.bubble.append(...said());
    }
    entry.files = files.length;
    entry.missing = message.errorCode === 'files_missing';
    const known = entry.sequence !== Infinity;
    entry.state = known ? 'sent' : message.state;
    if (!known) this.place(entry, message.receipt?.sequence ?? Infinity);
    const { attach, retry } = this.around.texts;
    const again = entry.missing
      ? h('button', { type: 'button', class: 'retry', onclick: () => this.again(id) }, attach)
      : h('button', { type: 'button', class: 'retry', onclick: () => this.retry(id) }, retry);
    entry.dom.querySelector('.retry')?.remove();
    if (entry.state === 'failed') entry.meta.after(again);
    this.settle(toEnd);
  }

  /** Takes a message out that was never sent. */
  remove(clientMessageId: string): void {
    const entry = this.own.get(clientMessageId);
    if (!entry) return;
    this.own.delete(clientMessageId);
    this.inOrder.splice(this.inOrder.indexOf(entry), 1);
    entry.dom.remove();
    this.settle(false);
  }

  showDraft(text: string): void {
    const { atEnd } = this;
    this.draft.replaceChildren(...renderMarkdown(text, this.around.texts.newTab));
    if (atEnd) this.scrollToEnd();
  }

  showTyping(active: boolean): void {
    if (!active) this.draft.replaceChildren();
    if (this.typing.hidden === !active) return;
    const atEnd = this.atEnd;
    this.typing.hidden = !active;
    this.settle(atEnd);
  }

  scrollToEnd(): void {
    this.dom.scrollTop = this.dom.scrollHeight;
  }

  private get atEnd(): boolean {
    const { scrollTop, scrollHeight, clientHeight } = this.dom;
    return scrollHeight - scrollTop - clientHeight < 80;
  }

  private settle(toEnd: boolean): void {
    this.arrange();
    if (toEnd) this.scrollToEnd();
  }

  private entryFor(message: Message): Entry {
    const entry = this.newEntry(message.role, new Date(message.createdAt), [], message.authorName);
    this.fillIn(entry, message);
    const sources = renderSources(message.sources ?? [], this.around);
    if (sources) entry.meta.before(sources);
    if (message.clientMessageId) this.own.set(message.clientMessageId, entry);
    return entry;
  }

  /** Shows the parts of a message after the name of who says them. */
  private fillIn({ bubble }: Entry, message: Message): void {
    const view = new PartsView(message, bubble, this.around);
    while (bubble.childNodes.length > 1) bubble.lastChild?.remove();
    bubble.append(...view.within);
    bubble.after(view.below);
    view.mark(this.pressed.get(message.messageId) ?? new Set());
    this.views.set(message.messageId, view);
  }

  private newEntry(role: Message['role'], createdAt: Date, content: Node[], name?: string | null): Entry {
    const day = h('div', { class: 'day', hidden: true });
    const meta = h('div', { class: 'meta' });
    const author = h('bdi', { class: 'sr' }, `${name ?? authorName(role, this.around)}: `);
    // Each message finds its own direction, whatever the language of the page and of its author's name.
    const bubble = h('div', { class: 'bubble', dir: 'auto' }, author, ...content);
    const dom = h('div', { class: `message ${role}` }, day, bubble, meta);
    return { role, name, sequence: Infinity, createdAt, dom, bubble, day, meta, state: 'sent' };
  }

  /** What was pressed is marked where it stands. */
  private note(action: Pick<Action, 'id' | 'messageId'> | null | undefined): void {
    const { id, messageId } = action ?? {};
    if (!id || !messageId) return;
    const chosen = (this.pressed.get(messageId) ?? new Set()).add(id);
    this.pressed.set(messageId, chosen);
    this.views.get(messageId)?.mark(chosen);
  }

  private place(entry: Entry, sequence: number): void {
    const at = this.inOrder.indexOf(entry);
    if (at >= 0 && entry.sequence === sequence) return;
    if (at >= 0) this.inOrder.splice(at, 1);
    entry.sequence = sequence;
    const next = this.inOrder.findIndex((other) => other.sequence > sequence);
    this.inOrder.splice(next < 0 ? this.inOrder.length : next, 0, entry);
    const after = next < 0 ? null : (this.inOrder[this.inOrder.indexOf(entry) + 1]?.dom ?? null);
    // Moving a node would have it read out again, so it stays when it stands right already.
    if (!entry.dom.parentNode || entry.dom.nextSibling !== after) this.list.insertBefore(entry.dom, after);
  }

  /** Days above, times below, one author's messages close together. */
  private arrange(): void {
    const { locale } = this.around;
    this.inOrder.forEach((entry, index) => {
      const before = this.inOrder[index - 1];
      const after = this.inOrder[index + 1];
      const newDay = !before || !sameDay(before.createdAt, entry.createdAt);
      entry.day.hidden = !newDay;
      setText(entry.day, newDay ? dayLabel(entry.createdAt, new Date(), locale) : '');
      const first = newDay || before.role !== entry.role;
      const last = after?.role !== entry.role || !sameDay(after.createdAt, entry.createdAt);
      entry.dom.classList.toggle('first', first);
      entry.dom.classList.toggle('last', last);
      entry.dom.dataset.state = entry.state;
      const shown = last || entry.state !== 'sent';
      setText(entry.meta, shown && entry.role !== 'system' ? this.metaOf(entry) : '');
    });
  }

  private metaOf(entry: Entry): string {
    const time = timeLabel(entry.createdAt, this.around.locale);
    const { texts } = this.around;
    const before = entry.role === 'contact' ? (entry.missing ? texts.missing : texts[entry.state]) : entry.name;
    return before ? `${before} · ${time}` : time;
  }
}

// Writing the same text again would have a screen reader say it again.
function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
