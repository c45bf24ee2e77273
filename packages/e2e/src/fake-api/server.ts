import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FakeSession, frame, type FakeMessage, type Posted } from './conversations.js';
import { FakeFiles } from './files.js';
import { Problem } from './problem.js';
import { publicKeyOf, TENANTS } from './tenants.js';
import { Refused, TokenDesk, type Claims } from './tokens.js';

const BASE = '/api/meta-agent';
const DIST = new URL('../../../sdk/dist/', import.meta.url);
/** What the server takes of BCP 47. */
const LOCALE = /^[a-z]{2,3}(-[a-z\d]{2,8})*$/i;
const ALLOWED_HEADERS =
  'authorization, content-type, idempotency-key, last-event-id, x-api-key, x-misy-nonce, x-misy-signature, x-misy-timestamp';

interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Buffer;
  request: IncomingMessage;
  response: ServerResponse;
}

/**
 * Stands in for the API server in browser tests: the calls the SDK makes, with real token and signature checks, and
 * handles for what a test needs to make happen. Not a model of anything else.
 */
export class FakeApi {
  readonly sessions = new Map<string, FakeSession>();
  readonly origins = new Map<string, Set<string>>();
  /** Calls that came to a route, such as `POST /messages`, with the answered status. */
  readonly log: { call: string; status: number; headers: IncomingMessage['headers'] }[] = [];
  /** Server clock minus the machine's, in milliseconds. */
  clockSkew = 0;
  /** Leave messages without an answer, so that a test can write it itself. */
  silent = false;
  /** Codes that the next posts of messages are refused with. */
  readonly refusals: Problem[] = [];
  readonly desk = new TokenDesk(() => this.now());
  readonly files = new FakeFiles(() => this.origin + BASE);
  private readonly families = new Map<string, Set<string>>();
  private readonly server: Server;
  private keepAlive: NodeJS.Timeout | undefined;

  private constructor() {
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  static async start(port = 0): Promise<FakeApi> {
    const api = new FakeApi();
    await new Promise<void>((resolve) => api.server.listen(port, '127.0.0.1', resolve));
    api.keepAlive = setInterval(() => api.sessions.forEach((session) => session.streams.forEach((s) => s.write(': still here\n\n'))), 15_000);
    return api;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    clearInterval(this.keepAlive);
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  allow(tenantId: string, origin: string): void {
    this.origins.set(tenantId, (this.origins.get(tenantId) ?? new Set()).add(origin));
  }

  /** Breaks every open event stream, as a restart or a lost network would. Answers how many there were. */
  cutStreams(): number {
    let cut = 0;
    for (const session of this.sessions.values()) {
      for (const stream of session.streams) {
        stream.destroy();
        cut++;
      }
    }
    return cut;
  }

  /** Ends every open event stream with its last words, as the server does when a token or a tenant is no longer served. */
  endStreams(ending: string): void {
    for (const session of this.sessions.values()) {
      session.tell('status', { status: session.status, ending });
      session.streams.forEach((stream) => stream.end());
    }
  }

  refuseNextMessage(status: number, code: string): void {
    this.refusals.push(new Problem(status, code));
  }

  get lastSession(): FakeSession {
    const session = [...this.sessions.values()].at(-1);
    if (!session) throw new Error('no session was opened');
    return session;
  }

  private now(): number {
    return Date.now() + this.clockSkew;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.origin);
    const call = `${request.method ?? ''} ${url.pathname.replace(BASE, '').replace(/ses_\w+/, '{id}')}`;
    response.on('close', () => this.log.push({ call, status: response.statusCode, headers: request.headers }));
    const origin = request.headers.origin ?? '';
    response.setHeader('Vary', 'Origin');
    if ([...this.origins.values()].some((origins) => origins.has(origin))) {
      response.setHeader('Access-Control-Allow-Origin', origin);
      response.setHeader('Access-Control-Expose-Headers', 'Retry-After');
    }
    try {
      if (request.method === 'OPTIONS') preflight(response);
      else if (url.pathname.startsWith('/sdk/')) await serveFile(url.pathname.slice('/sdk/'.length), response);
      else {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const path = url.pathname.slice(BASE.length);
        const body = Buffer.concat(chunks);
        await this.route({ method: request.method ?? '', path, query: url.searchParams, body, request, response });
      }
    } catch (error) {
      this.refuse(response, error);
    }
  }

  private refuse(response: ServerResponse, error: unknown): void {
    const code = error instanceof Refused || error instanceof Problem ? error.code : 'internal';
    const status = error instanceof Refused ? 401 : error instanceof Problem ? error.status : 500;
    const serverTime = code === 'timestamp_out_of_window' ? new Date(this.now()).toISOString() : undefined;
    const missing = error instanceof Problem ? error.missing : [];
    const errors = missing.map((pointer) => ({ pointer, code: 'reference', message: 'is not there' }));
    const body = { type: 'about:blank', title: code, status, code, requestId: 'req_fake', serverTime, errors };
    response.writeHead(status, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify(body));
  }

  private async route(call: Call): Promise<void> {
    if (`${call.method} ${call.path}` === 'POST /tokens') {
      this.mintToken(call);
      return;
    }
    const [, resource, sessionId, part] = call.path.split('/');
    if (call.method === 'GET' && resource === 'files') {
      const file = this.files.read(sessionId ?? '', call.query);
      if (!file) throw new Problem(403, 'link_invalid');
      call.response.writeHead(200, { 'Content-Type': file.mediaType, 'Cross-Origin-Resource-Policy': 'cross-origin' }).end(file.bytes);
      return;
    }
    const claims = this.authenticate(call);
    if (call.method === 'POST' && resource === 'files') {
      const stored = await this.files.store(call.body, call.request.headers['content-type'] ?? '');
      if (typeof stored === 'number') throw new Problem(stored, 'refused');
      answer(call.response, 201, stored);
      return;
    }
    if (call.method === 'POST' && resource === 'messages') this.takeMessage(call, claims);
    else if (resource !== 'sessions') throw new Problem(404, 'not_found');
    else if (call.method === 'POST') this.openSession(call, claims);
    else {
      const session = this.sessionOf(sessionId ?? '', claims);
      if (part === 'messages') history(call, session);
      else if (part === 'events') stream(call, session);
      else answer(call.response, 200, session.describe(claims));
    }
  }

  private authenticate(call: Call, renewal = false): Claims {
    const { method, path, body, request } = call;
    const { host = '', origin } = request.headers;
    const query = (request.url ?? '').split('?')[1] ?? '';
    const claims = this.desk.check({ method, host, path: BASE + path, query, body, headers: request.headers }, renewal);
    if (claims.origin !== origin) throw new Problem(403, 'origin_not_allowed');
    return claims;
  }

  private mintToken(call: Call): void {
    const key = call.request.headers['x-api-key'];
    const tenant = TENANTS.find(({ tenantId }) => publicKeyOf(tenantId) === key);
    if (!tenant) throw new Refused('token_missing');
    const { origin = '' } = call.request.headers;
    if (!this.origins.get(tenant.tenantId)?.has(origin)) throw new Problem(403, 'origin_not_allowed');
    const old = call.request.headers.authorization ? this.authenticate(call, true) : undefined;
    const { siteId } = JSON.parse(call.body.toString()) as { siteId: string };
    const { token, signingKey, claims } = this.desk.mint(tenant.tenantId, siteId, origin);
    const family = (old && this.families.get(old.jti)) ?? new Set<string>();
    this.families.set(claims.jti, family.add(claims.jti));
    const expiresAt = new Date(claims.exp * 1000).toISOString();
    answer(call.response, 201, { token, tokenType: 'TAT', expiresAt, signingKey, serverTime: new Date(this.now()).toISOString() });
  }

  private openSession(call: Call, claims: Claims): void {
    const tenant = TENANTS.find(({ tenantId }) => tenantId === claims.tenantId);
    const holders = this.families.get(claims.jti);
    if (!tenant || !holders) throw new Problem(404, 'not_found');
    const { locale } = JSON.parse(call.body.toString()) as { locale?: string };
    if (locale !== undefined && !LOCALE.test(locale)) throw new Problem(422, 'validation_failed');
    const session = new FakeSession(tenant, holders, () => this.now(), this.files);
    this.sessions.set(session.sessionId, session);
    answer(call.response, 201, session.describe(claims));
  }

  private sessionOf(sessionId: string, claims: Claims): FakeSession {
    const session = this.sessions.get(sessionId);
    if (!session?.holders.has(claims.jti)) throw new Problem(404, 'not_found');
    return session;
  }

  private takeMessage(call: Call, claims: Claims): void {
    const refusal = this.refusals.shift();
    if (refusal) throw refusal;
    const body = JSON.parse(call.body.toString()) as Posted;
    if (body.tenantId !== claims.tenantId) throw new Problem(422, 'validation_failed');
    const session = this.sessionOf(body.sessionId, claims);
    const before = session.messages.length;
    const message = session.accept(body);
    // Like the server, takes no empty list of files.
    if (!message || body.attachments?.length === 0) throw new Problem(422, 'validation_failed');
    answer(call.response, 202, { messageId: message.messageId, sequence: message.sequence });
    if (this.silent || session.messages.length === before) return;
    session.tell('typing', { active: true, agentName: 'support' });
    setImmediate(() => session.answer(message));
  }
}

function history(call: Call, session: FakeSession): void {
  const after = Number(call.query.get('after') ?? 0);
  const limit = Number(call.query.get('limit') ?? 50);
  const rest = session.messages.filter(({ sequence }) => sequence > after);
  const items = rest.slice(0, limit).map((message) => session.shown(message));
  answer(call.response, 200, { items, nextCursor: rest.length > limit ? String(items.at(-1)?.sequence) : null });
}

function stream(call: Call, session: FakeSession): void {
  const { response, request } = call;
  const after = Number(request.headers['last-event-id'] ?? 0);
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write(frame('status', { status: session.status }));
  const missed = (message: FakeMessage): boolean => message.sequence > after;
  session.messages.filter(missed).forEach((message) => response.write(frame('message', session.shown(message), message.sequence)));
  session.streams.add(response);
  response.on('close', () => session.streams.delete(response));
}

function preflight(response: ServerResponse): void {
  response.setHeader('Access-Control-Allow-Methods', 'GET, POST');
  response.setHeader('Access-Control-Allow-Headers', ALLOWED_HEADERS);
  response.setHeader('Access-Control-Max-Age', '600');
  response.writeHead(204).end();
}

async function serveFile(name: string, response: ServerResponse): Promise<void> {
  if (!/^[\w-]+\.m?js$/.test(name)) throw new Problem(404, 'not_found');
  const file = await readFile(new URL(name, DIST)).catch(() => {
    throw new Problem(404, 'not_found');
  });
  // Modules are only loaded across origins with CORS; these files are the same for everybody.
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.writeHead(200, { 'Content-Type': 'text/javascript; charset=utf-8' }).end(file);
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
