import assert from 'node:assert/strict';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { eventually } from './eventually.js';

/** The chat on a page, as a visitor sees it. Playwright's CSS reaches through the open shadow root. */
export class ChatPage {
  readonly launcher: Locator;
  readonly panel: Locator;
  readonly log: Locator;
  readonly field: Locator;
  readonly banner: Locator;
  /** What the visitor has written, in the order it stands. */
  readonly own: Locator;
  /** What came back, the greeting left out. */
  readonly answers: Locator;

  constructor(readonly page: Page) {
    const chat = page.locator('[data-misy]');
    this.launcher = chat.locator('.launcher');
    this.panel = chat.locator('.panel');
    this.log = chat.locator('[role=log]');
    this.field = chat.locator('textarea');
    this.banner = chat.locator('.banner');
    this.own = chat.locator('.list .message.contact');
    this.answers = chat.locator('.list .message:not(.contact)');
  }

  /** Goes to a site and waits until the chat's button is there. */
  static async visit(context: BrowserContext, site: string): Promise<ChatPage> {
    const chat = new ChatPage(await context.newPage());
    await chat.page.goto(site);
    await chat.launcher.waitFor();
    return chat;
  }

  async open(): Promise<void> {
    await this.launcher.click();
    await this.panel.waitFor();
  }

  async write(text: string): Promise<void> {
    await this.field.fill(text);
    await this.field.press('Enter');
  }

  /** Writes and waits for the answer to it. */
  async ask(text: string): Promise<string> {
    const before = await this.answers.count();
    await this.write(text);
    await this.answers.nth(before).waitFor();
    return (await this.answers.nth(before).innerText()).trim();
  }

  /** Waits until the server has confirmed as many of the visitor's messages. */
  async confirmed(count: number): Promise<void> {
    await eventually(async () => {
      const states = await this.own.evaluateAll((all) => all.map((one) => (one as HTMLElement).dataset.state));
      assert.deepEqual(states, Array<string>(count).fill('sent'));
    });
  }

  /** The visitor's bubbles without the author's name that only screen readers get. */
  ownTexts(): Promise<string[]> {
    return bubbleTexts(this.own);
  }

  answerTexts(): Promise<string[]> {
    return bubbleTexts(this.answers);
  }
}

function bubbleTexts(messages: Locator): Promise<string[]> {
  return messages.locator('.bubble').evaluateAll((bubbles) =>
    bubbles.map((bubble) => {
      const copy = bubble.cloneNode(true) as HTMLElement;
      copy.querySelectorAll('.sr').forEach((unseen) => unseen.remove());
      return copy.textContent.trim();
    }),
  );
}
