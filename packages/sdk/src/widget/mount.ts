import { backoff } from '../core/backoff.js';
import type { Client } from '../core/client.js';
import type { MountedChat } from '../core/facade.js';
import { isTransient } from '../core/problem.js';
import type { Session } from '../public.js';
import { ChatWidget } from './chat-widget.js';

/**
 * Shows the chat as soon as its session is known, which holds the tenant's name, colours and language. As long as the server
 * does not answer the page stays as it is; when it refuses (unknown key, foreign origin, suspended tenant) it stays so for good.
 */
export async function mountChat(client: Client, target: Element | undefined, open: boolean): Promise<MountedChat> {
  const widget = new ChatWidget(client, await patientSession(client), target);
  await widget.mount();
  if (open || target) widget.open();
  return widget;
}

async function patientSession(client: Client): Promise<Session> {
  for (let failures = 1; ; failures++) {
    try {
      return await client.session();
    } catch (error) {
      if (!isTransient(error)) throw error;
      await new Promise<void>((resolve) => {
        setTimeout(resolve, backoff(failures));
        addEventListener('online', () => resolve(), { once: true });
      });
    }
  }
}
