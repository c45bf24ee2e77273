import type { Session } from '../public.js';
import { Composer, type ComposerActions } from './composer.js';
import { h, icon } from './dom.js';
import { renderAvatar, renderPlain, type ViewContext } from './message-view.js';
import { Transcript } from './transcript.js';

export interface PanelActions extends ComposerActions {
  retry: (clientMessageId: string) => void;
  /** Forgets a message that is nothing but files to be sent again. */
  drop: (clientMessageId: string) => void;
  close: () => void;
}

/** The chat itself: heading, conversation, what to say next. */
export class Panel {
  readonly dom: HTMLElement;
  readonly transcript: Transcript;
  readonly composer: Composer;
  private readonly title: HTMLElement;
  private readonly subtitle: HTMLElement;
  private readonly banner = h('div', { class: 'banner', role: 'status' });
  private readonly suggestions: HTMLElement;
  private readonly person: HTMLButtonElement;

  constructor(
    session: Session,
    private readonly around: ViewContext,
    actions: PanelActions,
    floating: boolean,
  ) {
    const { texts } = around;
    const chip = (text: string): HTMLElement =>
      h('button', { type: 'button', class: 'chip', dir: 'auto', onclick: () => actions.send(text, []) }, text);
    this.suggestions = h(
      'div',
      { class: 'suggestions', role: 'group', 'aria-label': texts.suggestions },
      ...(session.suggestions ?? []).map(chip),
    );
    this.person = h(
      'button',
      { type: 'button', class: 'person', onclick: () => actions.send(texts.wantsPerson, []) },
      icon('person'),
      texts.person,
    );
    // They are chosen anew, since no page may open them by itself.
    const again = (id: string): void => {
      actions.drop(id);
      this.transcript.remove(id);
      this.composer.pick();
    };
    this.transcript = new Transcript(around, actions.retry, again, introduction(session), [this.suggestions]);
    this.composer = new Composer(texts, actions);
    this.title = h('h2', { id: 'misy-title', tabindex: -1 }, session.branding.displayName);
    this.subtitle = h('p', {}, texts.assistant);
    const avatar = renderAvatar(session.branding.logoUrl, around);
    const close = { type: 'button', class: 'close', 'aria-label': texts.close, onclick: actions.close };
    this.dom = h(
      'section',
      {
        class: 'panel',
        role: floating ? 'dialog' : 'region',
        'aria-labelledby': 'misy-title',
        hidden: floating,
        ondragover: this.composer.bring,
        ondrop: this.composer.bring,
      },
      h('div', { class: 'head' }, avatar, h('div', { class: 'who' }, this.title, this.subtitle), floating && h('button', close, icon('close'))),
      this.banner,
      this.transcript.dom,
      h('div', { class: 'foot' }, this.person, this.composer.dom),
    );
    this.refresh();
  }

  /** Suggestions are for beginning: they go when the visitor has found words. */
  refresh(): void {
    this.suggestions.hidden = this.transcript.hasOwnMessages || !this.suggestions.childElementCount;
  }

  showOnline(online: boolean): void {
    this.showBanner(online ? '' : this.around.texts.offline);
  }

  showUnavailable(): void {
    this.showBanner(this.around.texts.unavailable);
  }

  showHandedOver(handedOver: boolean, name?: string): void {
    const { assistant, team, withPerson } = this.around.texts;
    this.subtitle.textContent = !handedOver ? assistant : name ? `${name} · ${team}` : withPerson;
    this.person.hidden = handedOver;
  }

  focus(): void {
    // On a touch screen the field would bring up the keyboard over half of what there is to read.
    if (matchMedia('(pointer: coarse)').matches) this.title.focus();
    else this.composer.focus();
  }

  /** Controls in their order of tabbing. */
  get stops(): HTMLElement[] {
    const all = this.dom.querySelectorAll<HTMLElement>('button, a[href], textarea, [tabindex="0"]');
    return [...all].filter((element) => element.checkVisibility());
  }

  private showBanner(text: string): void {
    if (this.banner.textContent !== text) this.banner.textContent = text;
  }
}

function introduction(session: Session): Node[] {
  const disclosure = session.aiDisclosure && h('p', { class: 'disclosure' }, icon('spark'), h('span', {}, session.aiDisclosure));
  const greeting =
    session.greeting &&
    h('div', { class: 'message agent first last' }, h('div', { class: 'bubble', dir: 'auto' }, ...renderPlain(session.greeting)));
  return [disclosure, greeting].filter((node) => node !== '');
}
