// Misy for servers of a site, in Node.js 20 or newer: no dependencies.
import { createHash, createHmac, randomBytes } from 'node:crypto';

const BASE = '/api/meta-agent';
/** A token is renewed when so little of its life is left, in seconds. */
const RENEW_BEFORE = 60;

/** An answer that is no success. `code` is stable and meant for programs. */
export class MisyError extends Error {
  /** @param {number} status @param {{ code?: string, detail?: string, title?: string, requestId?: string, serverTime?: string, errors?: object[] }} problem */
  constructor(status, problem) {
    super(`${status} ${problem.code ?? 'unknown'}: ${problem.detail ?? problem.title ?? 'no detail'}`);
    this.name = 'MisyError';
    this.status = status;
    this.code = problem.code ?? `http_${status}`;
    this.requestId = problem.requestId;
    this.serverTime = problem.serverTime;
    this.errors = problem.errors ?? [];
  }
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/**
 * The headers that prove who sends a request.
 *
 * @param {Buffer} key 32 bytes
 * @param {{ method: string, url: string | URL, body?: string | Uint8Array, token?: string, timestamp?: number, nonce?: string }} request
 *   `timestamp` in Unix seconds; `nonce`: 10 to 64 characters of base64url, never used twice
 * @returns {Record<string, string>}
 */
export function signatureHeaders(key, { method, url, body = '', token = '', timestamp, nonce }) {
  const { host, pathname, search } = new URL(url);
  const time = String(timestamp ?? Math.floor(Date.now() / 1000));
  const once = nonce ?? randomBytes(16).toString('base64url');
  const lines = ['v1', method, host, pathname, search.slice(1), sha256(body), time, once, token && sha256(token)];
  const signature = createHmac('sha256', key).update(lines.join('\n')).digest('hex');
  return { 'X-Misy-Timestamp': time, 'X-Misy-Nonce': once, 'X-Misy-Signature': `v1=${signature}` };
}

/** A server that calls Misy with the tenant secret. Keep one for the life of the process: it keeps its token. */
export class MisyServer {
  #key;
  #token;
  #clockOffset = 0;

  /**
   * @param {{ apiOrigin: string, secretId: string, secret: string, siteId?: string, permissions?: string[] }} options
   *   `secretId` and `secret`: as shown when the tenant secret was made; `permissions`: what its own token may do
   */
  constructor({ apiOrigin, secretId, secret, siteId = 'main', permissions }) {
    this.apiOrigin = new URL(apiOrigin).origin;
    this.secretId = secretId;
    this.siteId = siteId;
    this.permissions = permissions;
    this.#key = Buffer.from(secret, 'base64url');
    if (this.#key.length !== 32) throw new TypeError('a tenant secret is 32 bytes in base64url');
  }

  /**
   * Makes a token, for this server or, with `origin`, for a page of the site: the page then signs with the `signingKey` of
   * the answer.
   *
   * @param {{ permissions?: string[], ttlSeconds?: number, sig?: 'tenant' | 'token', origin?: string }} wishes
   */
  mintToken(wishes = {}) {
    return this.#send('POST', '/tokens', { siteId: this.siteId, ...wishes }, '', { 'X-Misy-Key': this.secretId });
  }

  /** Calls the API below `/api/meta-agent` and gives the JSON of its answer. @throws {MisyError} */
  async call(method, path, body) {
    return this.#send(method, path, body, await this.#ownToken());
  }

  async #ownToken() {
    if (!this.#token || Date.parse(this.#token.expiresAt) / 1000 - this.#now() < RENEW_BEFORE) {
      const wishes = this.permissions ? { permissions: this.permissions } : {};
      this.#token = await this.mintToken({ ...wishes, sig: 'tenant' });
    }
    return this.#token.token;
  }

  #now() {
    return Math.floor(Date.now() / 1000) + this.#clockOffset;
  }

  async #send(method, path, body, token, headers = {}, again = true) {
    const url = `${this.apiOrigin}${BASE}${path}`;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const signed = signatureHeaders(this.#key, { method, url, body: text, token, timestamp: this.#now() });
    const answer = await fetch(url, {
      method,
      body: text,
      headers: {
        ...headers,
        ...signed,
        ...(text === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
      },
    });
    if (answer.ok) return answer.status === 204 ? undefined : answer.json();
    const error = new MisyError(answer.status, await answer.json().catch(() => ({})));
    // Our clock is wrong: the server has told its own.
    if (again && error.code === 'timestamp_out_of_window' && error.serverTime) {
      this.#clockOffset = Math.floor(Date.parse(error.serverTime) / 1000) - Math.floor(Date.now() / 1000);
      return this.#send(method, path, body, token, headers, false);
    }
    throw error;
  }
}
