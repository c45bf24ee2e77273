import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { FakeFiles } from './files.js';
import { Problem } from './problem.js';
import type { Claims } from './tokens.js';
import type { FakeTenant } from './tenants.js';

export interface FakeMessage {
  messageId: string;
  sessionId: string;
  sequence: number;
  role: 'contact' | 'agent' | 'human' | 'system';
  agentName?: string;
  parts: { type: string; [field: string]: unknown }[];
  sources?: { kind: string; id: string; title: string }[];
  inReplyTo?: string[];
  clientMessageId?: string;
  action?: { type: string; id: string; title: string; messageId: string };
  createdAt: string;
}

/** What a visitor posts, as far as it is known here. */
export interface Posted {
  tenantId: string;
  sessionId: string;
  clientMessageId: string;
  text?: string;
  action?: { type: string; id: string; messageId?: string };
  attachments?: string[];
}

const id = (prefix: string): string => `${prefix}_${randomUUID().replaceAll('-', '')}`;

/** One session with its messages and the open event streams that watch it. */
export class FakeSession {
  readonly sessionId = id('ses');
  readonly conversationId = id('cnv');
  readonly messages: FakeMessage[] = [];
  readonly streams = new Set<ServerResponse>();
  readonly posts: string[] = [];
  status: 'active' | 'handoff' | 'closed' = 'active';

  constructor(
    readonly tenant: FakeTenant,
    /** The tokens that may read it: the one it was opened with and its renewals. */
    readonly holders: Set<string>,
    private readonly now: () => number,
    private readonly files: FakeFiles,
  ) {}

  describe(claims: Claims): object {
    const { tenant } = this;
    return {
      sessionId: this.sessionId,
      conversationId: this.conversationId,
      expiresAt: new Date(claims.exp * 1000).toISOString(),
      greeting: tenant.greeting,
      branding: { displayName: tenant.displayName, primaryColor: tenant.primaryColor, logoUrl: null },
      locale: tenant.locale,
      languages: ['es', 'en', 'pt'],
      consent: [],
      aiDisclosure: tenant.aiDisclosure,
      suggestions: tenant.suggestions,
      status: this.status,
      lastSequence: this.messages.length,
    };
  }

  /** Takes a message of the visitor; a repeated `clientMessageId` changes nothing. Nothing when there is no such thing to press. */
  accept({ text = '', action, attachments = [], clientMessageId }: Posted): FakeMessage | undefined {
    this.posts.push(text);
    const known = this.messages.find((message) => message.clientMessageId === clientMessageId);
    if (known) return known;
    const said = text ? [{ type: 'text', text }] : [];
    const missing = attachments.flatMap((file, at) => (this.files.isOf(file, this.sessionId) ? [] : [`/attachments/${at}`]));
    if (missing.length) throw new Problem(422, 'validation_failed', ['/attachments', ...missing]);
    if (!action) return this.add({ role: 'contact', parts: [...said, ...attachments.map((id) => this.files.part(id))], clientMessageId });
    const pressed = this.choice(action);
    return pressed && this.add({ role: 'contact', parts: [{ type: 'text', text: pressed.title }], action: pressed, clientMessageId });
  }

  private choice({ id, messageId }: { id: string; messageId?: string }): FakeMessage['action'] {
    for (const message of this.messages.filter((one) => !messageId || one.messageId === messageId)) {
      const { title } = choicesOf(message.parts).find((choice) => choice.id === id) ?? {};
      if (title) return { type: 'button', id, title, messageId: message.messageId };
    }
    return undefined;
  }

  add(message: Pick<FakeMessage, 'role' | 'parts'> & Partial<FakeMessage>): FakeMessage {
    const sequence = this.messages.length + 1;
    const createdAt = new Date(this.now()).toISOString();
    const whole = { ...message, messageId: id('msg'), sessionId: this.sessionId, sequence, createdAt };
    this.messages.push(whole);
    this.tell('message', this.shown(whole), sequence);
    return whole;
  }

  /** A message as it is told now: links to files in it are new each time. */
  shown(message: FakeMessage): FakeMessage {
    return { ...message, parts: message.parts.map((part) => this.files.linked(part)) };
  }

  /** Answers as an agent would: from what the tenant has published, or not at all. */
  answer(question: FakeMessage): void {
    const text = question.parts.map((part) => part.text).join(' ');
    const inReplyTo = [question.messageId];
    if (/persona|person|pessoa/i.test(text)) {
      this.status = 'handoff';
      this.add({ role: 'agent', agentName: 'support', parts: [{ type: 'text', text: this.tenant.handoff }], inReplyTo });
      this.tell('handoff', { status: 'waiting' });
      return;
    }
    const found = this.tenant.answers.filter((answer) => answer.asks.test(text));
    const sources = found.map(({ id, title }) => ({ kind: 'faq', id, title }));
    const parts = [{ type: 'text', text: found.map((answer) => answer.text).join('\n\n') || this.tenant.unknown }];
    this.add({ role: 'agent', agentName: 'support', parts, sources, inReplyTo });
  }

  tell(event: string, data: unknown, sequence?: number): void {
    for (const stream of this.streams) stream.write(frame(event, data, sequence));
  }
}

/** Everything in a message that has an id and a title. */
function choicesOf(value: unknown): { id?: string; title?: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(choicesOf)];
}

export const frame = (event: string, data: unknown, sequence?: number): string =>
  `${sequence === undefined ? '' : `id: ${sequence}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
