import type { Client } from '../core/client.js';
import type { MountedChat } from '../core/facade.js';
import { ChatWidget } from './chat-widget.js';

/**
 * Shows the chat as soon as its session is known, which holds the tenant's name, colours and language. As long as the server
 * does not answer the page stays as it is; when it refuses (unknown key, foreign origin, suspended tenant) it stays so for good.
 */
export async function mountChat(client: Client, target: Element | undefined, open: boolean): Promise<MountedChat> {
  const widget = new ChatWidget(client, await client.sessionAtLast(), target);
  await widget.mount();
  if (open || target) widget.open();
  return widget;
}
