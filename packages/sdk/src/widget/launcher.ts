import { h, icon } from './dom.js';
import { fill, type Texts } from './texts.js';

/** The button in the corner, its count of new messages, and the greeting beside it. */
export class Launcher {
  readonly dom: HTMLElement;
  readonly button: HTMLButtonElement;
  private readonly badge = h('span', { class: 'badge', hidden: true, 'aria-hidden': 'true' });
  private readonly announcer = h('div', { class: 'sr', role: 'status' });
  private readonly greeting: HTMLElement;

  constructor(
    private readonly texts: Texts,
    private readonly tenantName: string,
    greeting: string,
    actions: { toggle: () => void; dismiss: () => void },
  ) {
    this.button = h(
      'button',
      { type: 'button', class: 'launcher', 'aria-haspopup': 'dialog', 'aria-expanded': 'false', onclick: actions.toggle },
      icon('chat'),
      icon('down'),
      this.badge,
    );
    const dismiss = (): void => {
      this.showGreeting(false);
      actions.dismiss();
      this.button.focus();
    };
    this.greeting = h(
      'div',
      { class: 'greeting', hidden: true },
      h('button', { type: 'button', class: 'greeting-text', dir: 'auto', onclick: actions.toggle }, h('span', {}, greeting)),
      h('button', { type: 'button', class: 'greeting-close', 'aria-label': texts.dismiss, onclick: dismiss }, icon('close')),
    );
    this.dom = h('div', { class: 'corner' }, this.greeting, this.button, this.announcer);
    this.update(false, 0);
  }

  showGreeting(shown: boolean): void {
    this.greeting.hidden = !shown;
  }

  update(open: boolean, unread: number): void {
    const { texts, tenantName } = this;
    const name = open ? texts.close : fill(texts.open, { name: tenantName });
    const news = unread === 1 ? fill(texts.unreadOne, { name: tenantName }) : fill(texts.unread, { n: unread });
    this.button.setAttribute('aria-expanded', String(open));
    this.button.setAttribute('aria-label', unread ? `${name}. ${news}` : name);
    this.badge.hidden = !unread;
    this.badge.textContent = unread > 9 ? '9+' : String(unread);
    this.announcer.textContent = unread ? news : '';
  }
}
