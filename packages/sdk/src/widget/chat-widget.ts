import type { Client } from '../core/client.js';
import { page } from '../core/page.js';
import type { MountedChat } from '../core/parts.js';
import type { Tray } from '../files/tray.js';
import type { Attachment, Message, MisyEvent, SendOptions, Session } from '../public.js';
import { h } from './dom.js';
import { kit } from './kit.js';
import { Launcher } from './launcher.js';
import { Panel } from './panel.js';
import type { ViewContext } from './message-view.js';
import { stayInPage } from './place.js';
import { adoptStyles } from './styles.js';
import { isRightToLeft, type Texts } from './texts.js';
import { applyTheme } from './theme.js';
import { followViewport } from './viewport.js';

// A typing sign whose end got lost must not stay for ever.
const TYPING_MS = 45_000;
const NARROW = '(max-width: 479.98px)';

/** The widget in the page: a shadow root with launcher and panel, fed by the client's events. */
export class ChatWidget implements MountedChat {
  private readonly host = h('div', { 'data-misy': '' });
  private readonly root: HTMLElement;
  private readonly pane: Panel;
  private readonly launcher: Launcher;
  private readonly endings: (() => void)[] = [];
  private isOpen = false;
  private seen = 0;
  private typingEnd: ReturnType<typeof setTimeout> | undefined;
  private openedFrom: HTMLElement | undefined;

  constructor(
    private readonly client: Client,
    private session: Session,
    texts: Texts,
    locale: string,
    private readonly target: Element | undefined,
  ) {
    const { displayName, primaryColor } = session.branding;
    const shadow = this.host.attachShadow({ mode: 'open' });
    const context: ViewContext = {
      texts,
      locale,
      tenantName: displayName,
      filesAt: `${client.site.apiOrigin}/api/meta-agent/files/`,
      kit,
      rich: () => client.tools.atLast(() => client.load('rich')),
      adopt: (styles) => adoptStyles(shadow, styles),
      press: ({ messageId }, id, title) => this.send(title, { action: { type: 'button', id, messageId } }),
      gateway: client.gateway,
    };
    const actions = {
      send: (text: string, attachments: Attachment[]) => this.send(text, { attachments }),
      tray: allows(client, 'files:upload') ? (changed: () => void) => this.openTray(context, changed) : undefined,
      retry: (id: string) => void client.retry(id).catch(() => undefined),
      drop: (id: string) => void client.drop(id),
      close: () => this.close(),
    };
    this.pane = new Panel(session, context, actions, !target);
    this.launcher = new Launcher(texts, displayName, session.greeting, {
      toggle: () => (this.isOpen ? this.close() : this.open()),
      dismiss: () => void client.note('greeted', 'yes'),
    });
    const mode = target ? 'inline' : 'floating';
    const direction = isRightToLeft(locale) ? 'rtl' : getComputedStyle(target ?? page.documentElement).direction;
    this.root = h(
      'div',
      { class: 'misy', lang: locale, dir: direction, 'data-mode': mode },
      !target && this.launcher.dom,
      this.pane.dom,
    );
    adoptStyles(shadow);
    shadow.append(this.root);
    client.tools.keepEvents(this.host, (event) => event.type === 'keydown' && this.onKey(event as KeyboardEvent));
    this.endings.push(applyTheme(this.root, primaryColor), client.subscribe((event) => this.onEvent(event)));
    if (!target) this.endings.push(followViewport(this.pane.dom));
  }

  /** Puts the widget into the page and shows what is known already. */
  async mount(): Promise<void> {
    const { transcript } = this.pane;
    transcript.busy = true;
    this.seen = Number(await this.client.note('seen')) || 0;
    this.endings.push(stayInPage(this.host, this.target));
    this.client.messages.forEach((message) => transcript.showMessage(message));
    const queue = await this.client.queued();
    const { online } = this.client;
    for (const message of queue) transcript.showOutgoing({ ...message, state: message.errorCode ? 'failed' : online ? 'sending' : 'queued' });
    this.pane.refresh();
    this.pane.showOnline(online);
    this.pane.showHandedOver(this.session.status === 'handoff');
    transcript.busy = false;
    const returning = (this.session.lastSequence ?? 0) > 0 || transcript.hasOwnMessages;
    // A visitor who never wrote costs the server no open connection.
    if (returning) this.client.listen();
    const greeted = await this.client.note('greeted');
    this.launcher.showGreeting(!this.isOpen && !returning && !greeted && !!this.session.greeting);
  }

  open(): void {
    if (this.isOpen) return;
    this.isOpen = true;
    const active = page.activeElement;
    this.openedFrom = active instanceof HTMLElement && active !== page.body && active !== this.host ? active : undefined;
    this.pane.dom.hidden = false;
    this.root.dataset.open = '';
    this.launcher.showGreeting(false);
    this.client.listen();
    this.markSeen();
    this.pane.transcript.scrollToEnd();
    // The chat fills the whole of a narrow screen: nothing behind it can be reached, and it says so.
    const modal = !this.target && matchMedia(NARROW).matches;
    if (modal) this.pane.dom.setAttribute('aria-modal', 'true');
    else this.pane.dom.removeAttribute('aria-modal');
    if (!this.target) this.pane.focus();
  }

  close(): void {
    if (!this.isOpen || this.target) return;
    this.isOpen = false;
    delete this.root.dataset.open;
    this.pane.dom.hidden = true;
    this.updateLauncher();
    (this.openedFrom ?? this.launcher.button).focus();
  }

  destroy(): void {
    this.endings.forEach((end) => end());
    this.client.tools.clearTimeout(this.typingEnd);
  }

  private send(text: string, options?: SendOptions): void {
    void this.client.note('greeted', 'yes');
    // How it fares comes back as `outgoing` events.
    this.client.send(text, options).catch(() => undefined);
  }

  private async openTray({ adopt, locale, texts }: ViewContext, changed: () => void): Promise<Tray> {
    const { client } = this;
    const { Tray } = await client.load('files');
    return new Tray({ client, kit, locale, label: texts.attach, adopt, changed });
  }

  private onEvent(event: MisyEvent): void {
    const { transcript } = this.pane;
    switch (event.type) {
      case 'message':
        this.onMessage(event.message);
        break;
      case 'outgoing':
        transcript.showOutgoing(event.message);
        this.pane.refresh();
        break;
      case 'typing':
        this.showTyping(event.active);
        break;
      case 'delta':
        this.showTyping(true);
        transcript.showDraft(event.text);
        break;
      case 'session':
        if (event.session.sessionId !== this.session.sessionId) this.startOver(event.session);
        break;
      case 'connection':
        this.pane.showOnline(event.online);
        break;
      case 'status':
        if (event.status !== 'handoff') this.pane.showHandedOver(false);
        break;
      case 'handoff':
        this.pane.showHandedOver(true, event.detail.personName);
        break;
      case 'error':
        this.pane.showUnavailable();
    }
  }

  private onMessage(message: Message): void {
    const { transcript } = this.pane;
    // What was there before this page is history, and not read out.
    const history = message.sequence <= (this.session.lastSequence ?? 0);
    transcript.busy = history;
    transcript.showMessage(message);
    if (message.role !== 'contact') this.showTyping(false);
    this.pane.refresh();
    if (this.isOpen) this.markSeen();
    else this.updateLauncher();
  }

  private startOver(session: Session): void {
    this.session = session;
    this.seen = 0;
    this.pane.transcript.clear();
    this.pane.showHandedOver(false);
    this.pane.refresh();
    this.markSeen();
  }

  private showTyping(active: boolean): void {
    const { clearTimeout, setTimeout } = this.client.tools;
    clearTimeout(this.typingEnd);
    if (active) this.typingEnd = setTimeout(() => this.showTyping(false), TYPING_MS);
    this.pane.transcript.showTyping(active);
  }

  private markSeen(): void {
    this.seen = this.client.messages.at(-1)?.sequence ?? this.seen;
    void this.client.note('seen', String(this.seen));
    this.updateLauncher();
  }

  private updateLauncher(): void {
    const unread = this.client.messages.filter(({ role, sequence }) => role !== 'contact' && sequence > this.seen);
    this.launcher.update(this.isOpen, this.isOpen ? 0 : unread.length);
  }

  private onKey(event: KeyboardEvent): void {
    this.pane.composer.onKey(event);
    if (!this.isOpen || this.target) return;
    if (event.key === 'Escape') this.close();
    if (event.key !== 'Tab' || !this.pane.dom.ariaModal) return;
    const { stops } = this.pane;
    const [edge, other] = event.shiftKey ? [stops[0], stops.at(-1)] : [stops.at(-1), stops[0]];
    if (event.composedPath()[0] !== edge) return;
    event.preventDefault();
    other?.focus();
  }
}

/** Whether the visitor's token allows something. What cannot be read is tried. */
function allows({ gateway, tools }: Client, permission: string): boolean {
  try {
    const claims = tools.readJson(atob((gateway.token ?? '').split('.')[1]?.replace(/-/g, '+').replace(/_/g, '/') ?? ''));
    return (claims as { permissions: string[] }).permissions.includes(permission);
  } catch {
    return true;
  }
}
