/** Which tenant's agent this page talks to. Everything here is public; no secret belongs in a page. */
export interface MisyOptions {
  /** Slug of the tenant, such as `andina`. */
  tenantId: string;
  /** Publishable key of the tenant, `pk_live_…` or `pk_test_…`. */
  publicKey: string;
  /** Site of the tenant that this page belongs to. Default `main`. */
  siteId?: string;
  /** Origin of the Misy API, such as `https://api.example.com`. Default: where the SDK was loaded from. */
  apiOrigin?: string;
  /** BCP 47 language of the visitor. Default: the page's `lang`, then the browser's language. What is no tag is ignored. */
  locale?: string;
}

/** How and where the chat widget is shown. */
export interface ChatOptions {
  /** Element, or selector of one, that the chat fills. Without it the chat floats in the page's corner. */
  target?: Element | string;
  /** Open the floating panel at once. Default: closed. */
  open?: boolean;
}

/** A mounted chat widget. Calls made before it has loaded are carried out when it has. */
export interface ChatHandle {
  open(): void;
  close(): void;
  /** Removes the widget from the page. The session and the visitor's queued messages stay. */
  destroy(): void;
  /** Settles when the widget is in the page; rejects with a `MisyError` when it cannot be shown. */
  readonly ready: Promise<void>;
}

/** What a visitor presses: a button, an item of a list or a button of a card. */
export interface Action {
  type: 'button';
  /** Its id. */
  id: string;
  /** The message that it stands in; the newest one that has it, unless given. */
  messageId?: string;
}

/** A file that the server has, to be sent with a message. */
export interface Attachment {
  fileId: string;
  /** What the server found it to be, such as `image/png`. */
  mediaType: string;
  /** Bytes. */
  size: number;
  name?: string | null;
}

export interface SendOptions {
  /** Files that were uploaded in this session. The text may then be empty. */
  attachments?: Attachment[];
  /** What was pressed. The text is then what stood on it: what the visitor sees as their own message. */
  action?: Action;
  /** What the agent may know about where the message was written. At most a few short values. */
  metadata?: Record<string, unknown>;
}

/** What the server answers when it has taken a message. */
export interface Receipt {
  messageId: string;
  /** Position in the session; grows by time, starts at 1. */
  sequence: number;
  /** Files that the message was to carry and does not, as the server has them no more: they have to be uploaded and sent again. */
  missing?: Attachment[];
}

export interface Branding {
  displayName: string;
  primaryColor: string;
  logoUrl?: string | null;
}

export type SessionStatus = 'active' | 'handoff' | 'closed';

/** One thread of a visitor with a tenant. */
export interface Session {
  sessionId: string;
  conversationId: string;
  expiresAt: string;
  greeting: string;
  branding: Branding;
  /** Language the server chose for this session. */
  locale: string;
  languages: string[];
  /** Says, in the session's language, that an AI answers. */
  aiDisclosure: string;
  suggestions?: string[];
  consent?: unknown[];
  status?: SessionStatus;
  lastSequence?: number;
}

/** A part of a message. `text` carries a Markdown subset; other types carry their own fields. */
export interface MessagePart {
  type: string;
  text?: string;
  [field: string]: unknown;
}

/** Where an answer comes from. */
export interface Source {
  kind: string;
  id: string;
  title: string;
}

export interface Message {
  messageId: string;
  /** Nothing where it was not written on the web. */
  sessionId?: string | null;
  sequence: number;
  role: 'contact' | 'agent' | 'human' | 'system';
  agentName?: string | null;
  /** What the person is called who wrote it, where it was one of the tenant. */
  authorName?: string | null;
  parts: MessagePart[];
  sources?: Source[];
  inReplyTo?: string[];
  /** What the visitor pressed. */
  action?: { type: string; id: string; messageId: string; title: string } | null;
  clientMessageId?: string | null;
  createdAt: string;
}

/** `queued` waits for the network; `failed` was refused and waits for the visitor. */
export type OutgoingState = 'sending' | 'queued' | 'sent' | 'failed';

/** A message of the visitor that the server has not confirmed yet, or just has. */
export interface OutgoingMessage {
  clientMessageId: string;
  text: string;
  createdAt: string;
  state: OutgoingState;
  /** What was pressed; `text` is what stood on it. */
  action?: Action;
  attachments?: Attachment[];
  receipt?: Receipt;
  /** Code of the refusal when `state` is `failed`; `files_missing` when all that is left of it are files to be sent again. */
  errorCode?: string;
}

/** Who answers: the assistant, a person whose name is there, or nobody yet. */
export interface HandoffDetail {
  status?: SessionStatus;
  state?: 'assistant' | 'waiting' | 'person' | 'closed';
  personName?: string;
}

/** What `subscribeEvents` hands out. `delta`: all that is written so far of a message on its way, which then comes as `message`. */
export type MisyEvent =
  | { type: 'session'; session: Session }
  | { type: 'message'; message: Message }
  | { type: 'outgoing'; message: OutgoingMessage }
  | { type: 'typing'; active: boolean; agentName?: string }
  | { type: 'delta'; text: string }
  | { type: 'status'; status: SessionStatus }
  | { type: 'handoff'; detail: HandoffDetail }
  | { type: 'connection'; online: boolean }
  | { type: 'error'; error: MisyError };

/** The SDK. One page talks to one tenant at a time. */
export interface Misy {
  /**
   * Says whom this page talks to. Makes no request. A second call with other options replaces the first.
   * @throws MisyError `invalid_options` when tenant, key or API origin are missing;
   *   `insecure_context` when the page is not served over HTTPS (or from localhost).
   */
  init(options: MisyOptions): void;
  /**
   * Mounts the chat widget and opens a session for it.
   * @throws MisyError `not_initialized`; `target_not_found`.
   */
  connectChat(options?: ChatOptions): ChatHandle;
  /**
   * Sends a text of the visitor, at most 4,000 characters. Messages go out one after the other, survive a reload, and
   * wait while there is no network: the promise settles when the server has taken or refused the message.
   * @throws MisyError `not_initialized`, `validation_failed`, `origin_not_allowed`, `tenant_suspended`, ….
   */
  sendMessage(text: string, options?: SendOptions): Promise<Receipt>;
  /**
   * The visitor's session; opens one when there is none.
   * @throws MisyError as the server answered, or `network_error`.
   */
  getSession(): Promise<Session>;
  /** Calls `handler` for everything that happens from now on, and opens the live feed. Returns the way to stop it. */
  subscribeEvents(handler: (event: MisyEvent) => void): () => void;
}

/** Any failure of the SDK. `code` is stable and meant for programs, `message` for logs. */
export class MisyError extends Error {
  override readonly name = 'MisyError';
  /** Stable code in snake_case: the server's, or one of the SDK's own (`network_error`, `not_initialized`, …). */
  readonly code: string;
  /** HTTP status, 0 when there was no answer. */
  readonly status: number;
  /** The server's id of the failed request, to be named in support cases. */
  readonly requestId: string | undefined;
  /** Seconds after which the server wants to be asked again. */
  readonly retryAfter: number | undefined;
  /** The server's time in milliseconds since the epoch, when it refused ours. */
  readonly serverTime: number | undefined;
  /** What was referred to and the server does not have, as JSON pointers into what was sent. */
  readonly missing: readonly string[];

  constructor(
    code: string,
    status = 0,
    detail?: { message?: string; requestId?: string | undefined; retryAfter?: number | undefined; serverTime?: number | undefined; missing?: readonly string[] | undefined },
  ) {
    super(detail?.message ?? code);
    this.code = code;
    this.status = status;
    this.requestId = detail?.requestId;
    this.retryAfter = detail?.retryAfter;
    this.serverTime = detail?.serverTime;
    this.missing = detail?.missing ?? [];
  }
}
