import type { Client } from '../core/client.js';
import type { MountedChat } from '../core/parts.js';
import { ChatWidget } from './chat-widget.js';
import { isRightToLeft, languageOf, textsFor } from './texts.js';

/**
 * Shows the chat as soon as its session is known, which holds the tenant's name, colours and language. As long as the server
 * does not answer the page stays as it is; when it refuses (unknown key, foreign origin, suspended tenant) it stays so for good.
 */
export async function mountChat(client: Client, target: Element | undefined, open: boolean): Promise<MountedChat> {
  // Most often the page's language is the session's: its texts come while the session is opened.
  const { locale: wanted = '', load, tools } = client;
  const guessed = textsFor(wanted, load);
  guessed.catch(() => undefined);
  const session = await tools.atLast(
    () => client.session(),
    (error) => {
      if (!tools.isTransient(error)) throw error;
    },
  );
  // Tenants speak no language that is written from right to left yet; the widget does, around what they say.
  const locale = isRightToLeft(wanted) ? wanted : session.locale;
  const texts = await (languageOf(locale) === languageOf(wanted) ? guessed : textsFor(locale, load));
  const widget = new ChatWidget(client, session, texts, locale, target);
  await widget.mount();
  if (open || target) widget.open();
  return widget;
}
