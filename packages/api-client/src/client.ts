import { OPERATIONS } from './generated/operations.js';
import { problemOf, UnexpectedAnswer } from './problem.js';
import type { Proof } from './proof.js';
import type { Arguments, Data, DataId, Item, ListId, OperationId, TextId } from './types.js';

export interface ClientOptions {
  /** Where the API is, such as `https://api.example.com`. */
  origin: string;
  /** Who calls; nobody unless given. */
  proof?: Proof;
  /** Sends requests; `fetch` unless given. */
  fetch?: typeof fetch;
}

/** What was answered, with what stands beside it. */
export interface Answer<T> {
  data: T;
  status: number;
  /** The version of what was read: `ifMatch` of the change that follows. */
  etag: string | undefined;
  headers: Headers;
}

/** What an operation is called with, whichever it is. */
interface AnyInput {
  path?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
  idempotencyKey?: string;
  ifMatch?: string;
  reason?: string;
  signal?: AbortSignal;
}

/** Calls operations by their names in the description. */
export class MisyClient {
  private readonly origin: string;
  private readonly proof: Proof;
  private readonly fetch: typeof fetch;

  constructor(options: ClientOptions) {
    this.origin = options.origin;
    this.proof = options.proof ?? (() => ({}));
    // A browser's fetch may not be a method of something else.
    this.fetch = options.fetch ?? ((...request) => fetch(...request));
  }

  /** The same API, called by somebody else. */
  as(proof: Proof): MisyClient {
    return new MisyClient({ origin: this.origin, proof, fetch: this.fetch });
  }

  /**
   * Calls an operation and gives what it answers.
   * @throws MisyProblem when the API refuses, UnexpectedAnswer when something else answers.
   */
  async call<O extends DataId>(operation: O, ...[input]: Arguments<O>): Promise<Data<O>> {
    return (await this.ask<Data<O>>(operation, input)).data;
  }

  /** As `call`, with the version of what was read and the headers. */
  async request<O extends DataId>(operation: O, ...[input]: Arguments<O>): Promise<Answer<Data<O>>> {
    return this.ask(operation, input);
  }

  /** Calls an operation that answers text: a table, a note, an export. */
  async text<O extends TextId>(operation: O, ...[input]: Arguments<O>): Promise<string> {
    return (await this.send(operation, input, '*/*')).text();
  }

  /** The answer itself, to be read as it comes: the events of a session, a long export. */
  async open<O extends TextId>(operation: O, ...[input]: Arguments<O>): Promise<Response> {
    return this.send(operation, input, '*/*');
  }

  /** All of a list, page after page: `for await (const site of misy.all('listSites', { path }))`. */
  async *all<O extends ListId>(operation: O, ...[input]: Arguments<O>): AsyncGenerator<Item<O>, void, undefined> {
    for await (const page of this.pages<Item<O>>(operation, input)) yield* page;
  }

  /** The same at once, for lists that are short. */
  async list<O extends ListId>(operation: O, ...[input]: Arguments<O>): Promise<Item<O>[]> {
    const items: Item<O>[] = [];
    for await (const page of this.pages<Item<O>>(operation, input)) items.push(...page);
    return items;
  }

  private async *pages<T>(operation: OperationId, input: AnyInput | undefined): AsyncGenerator<T[], void, undefined> {
    let cursor: string | null | undefined;
    do {
      const page: Page<T> = (await this.ask<Page<T>>(operation, cursor ? withCursor(input, cursor) : input)).data;
      yield page.items;
      cursor = page.nextCursor;
    } while (cursor);
  }

  private async ask<T>(operation: OperationId, input: AnyInput | undefined): Promise<Answer<T>> {
    const response = await this.send(operation, input, 'application/json');
    const { status, headers } = response;
    return { data: await read<T>(response), status, headers, etag: headers.get('etag') ?? undefined };
  }

  private async send(operation: OperationId, input: AnyInput = {}, accept: string): Promise<Response> {
    const [method, path] = OPERATIONS[operation];
    const url = new URL(fill(path, input.path ?? {}), this.origin);
    for (const [name, value] of Object.entries(input.query ?? {})) {
      if (isPlain(value)) url.searchParams.set(name, String(value));
    }
    const body = new TextEncoder().encode(input.body === undefined ? '' : JSON.stringify(input.body));
    const headers = {
      accept,
      ...(input.body !== undefined && { 'content-type': 'application/json' }),
      ...(input.idempotencyKey !== undefined && { 'idempotency-key': input.idempotencyKey }),
      ...(input.ifMatch !== undefined && { 'if-match': input.ifMatch }),
      ...(input.reason !== undefined && { 'x-misy-reason': encodeURIComponent(input.reason) }),
      ...(await this.proof({ method, url, body })),
    };
    const sent = input.body === undefined ? {} : { body };
    const signal = input.signal ? { signal: input.signal } : {};
    const response = await this.fetch(url, { method, headers, redirect: 'manual', ...sent, ...signal });
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}

interface Page<T> {
  items: T[];
  nextCursor?: string | null;
}

function withCursor(input: AnyInput | undefined, cursor: string): AnyInput {
  return { ...input, query: { ...input?.query, cursor } };
}

/** What can stand in an address. */
function isPlain(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

/** The path of an operation with its parameters put in. */
function fill(path: string, parameters: Record<string, unknown>): string {
  return path.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = parameters[name];
    if (!isPlain(value)) throw new TypeError(`the path ${path} needs ${place}`);
    return encodeURIComponent(value);
  });
}

/** Here, and nowhere else, what came over the wire is taken for what the description says. */
async function read<T>(response: Response): Promise<T> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.split(';')[0]?.endsWith('json') ?? false;
  if (text !== '' && !isJson) throw new UnexpectedAnswer(response.status, text);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}
