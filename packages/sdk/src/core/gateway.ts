import type { Schemas } from '@misy/api-client';
import { MisyError } from '../public.js';
import { withLock } from './lock.js';
import { problemOf, serverMilliseconds } from './problem.js';
import { importSigningKey, newNonce, signatureHeaders, utf8 } from './signature.js';
import type { Store } from './store.js';
import { fetch, now, setTimeout, writeJson } from './taken.js';

/** Where requests go and on whose behalf; fixed for the life of a client. */
export interface Site {
  tenantId: string;
  siteId: string;
  publicKey: string;
  apiOrigin: string;
}

/** A token with the key bound to it. Times are the server's, in milliseconds. */
interface Credentials {
  token: string;
  key: CryptoKey;
  issuedAt: number;
  expiresAt: number;
  /** Server clock minus ours when the token was made. */
  clockOffset: number;
}

/** A token of a page always comes with its key. */
type TokenAnswer = Schemas['TokenAnswer'] & { signingKey: string };

export interface RequestDetails {
  body?: unknown;
  /** Instead of a body in JSON. */
  bytes?: Uint8Array<ArrayBuffer>;
  /** Instead of `fetch`, which does not tell how far an upload is. */
  send?: typeof fetch;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

const ANSWER_WITHIN_MS = 20_000;
const RENEW_AT_SHARE_OF_LIFE = 0.8;

/** The one way to the API: gets and renews the token, signs every request, keeps to the server's clock. */
export class Gateway {
  private heldNow: Credentials | undefined;
  private skew = 0;
  private readonly storageKey: string;

  constructor(
    readonly site: Site,
    private readonly shelf: Store,
    readonly keyspace: string,
  ) {
    this.storageKey = `${keyspace}|token`;
  }

  /** Whether the token has lived long enough to be renewed. */
  get renewalDue(): boolean {
    const held = this.heldNow;
    return !held || this.now() >= held.issuedAt + (held.expiresAt - held.issuedAt) * RENEW_AT_SHARE_OF_LIFE;
  }

  /** The token that is held. */
  get token(): string | undefined {
    return this.heldNow?.token;
  }

  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const signal = timeout(ANSWER_WITHIN_MS);
    const response = await this.request(method, path, { body, signal });
    return (await response.json()) as T;
  }

  /**
   * Sends a signed request and answers its successful response. Each kind of 401 is mended once; what is still refused
   * then is thrown.
   */
  async request(method: string, path: string, details: RequestDetails = {}): Promise<Response> {
    const mended = new Set<string>();
    if (this.renewalDue) await this.renew(this.heldNow, false);
    for (;;) {
      const held = this.heldNow;
      const response = await this.fetch(method, path, details, held);
      if (response.ok) return response;
      const problem = await problemOf(response);
      if (problem.status !== 401 || mended.has(problem.code)) throw problem;
      mended.add(problem.code);
      if (problem.serverTime !== undefined) this.setClock(problem.serverTime);
      else if (problem.code !== 'replay_detected') await this.renew(held, true);
    }
  }

  private now(): number {
    return now() + this.skew;
  }

  private setClock(serverTime: number): void {
    this.skew = serverTime - now();
  }

  /** One tab renews, the others take over what it got. `refused`: the server no longer takes the token we hold. */
  private renew(held: Credentials | undefined, refused: boolean): Promise<void> {
    return withLock(this.storageKey, async () => {
      const stored = await this.shelf.read<Credentials>(this.storageKey);
      if (stored && stored.token !== held?.token) {
        this.heldNow = stored;
        this.skew = stored.clockOffset;
        held = stored;
        refused = false;
        if (!this.renewalDue) return;
      }
      const fresh = await this.replace(held, refused);
      this.heldNow = fresh;
      // A tab that has not waited for this one may have got another: the first that is stored is that of all.
      const first = (now: Credentials | undefined): Credentials => (now && now.token !== stored?.token ? now : fresh);
      if (fresh !== held) this.heldNow = await this.shelf.update(this.storageKey, first);
    });
  }

  private async replace(held: Credentials | undefined, refused: boolean): Promise<Credentials> {
    try {
      return await this.mint(held);
    } catch (error) {
      const status = error instanceof MisyError ? error.status : 0;
      // The old token is beyond renewal: everything that belonged to it is given up, its session answers 404 from now on.
      if (held && status === 401) return this.mint();
      // A renewal ahead of time may fail as long as the old token still works.
      if (held && !refused && this.now() < held.expiresAt) return held;
      throw error;
    }
  }

  /** Asks for a token. With an old one, proves to be its holder, so that the new one may go on with its sessions. */
  private async mint(old?: Credentials): Promise<Credentials> {
    const details = {
      body: { siteId: this.site.siteId } satisfies Schemas['TokenRequest'],
      headers: { 'X-Api-Key': this.site.publicKey },
    };
    for (let tries = 0; ; tries++) {
      const response = await this.fetch('POST', '/tokens', { ...details, signal: timeout(ANSWER_WITHIN_MS) }, old);
      if (!response.ok) {
        const problem = await problemOf(response);
        if (problem.serverTime === undefined || tries) throw problem;
        this.setClock(problem.serverTime);
        continue;
      }
      const answer = (await response.json()) as TokenAnswer;
      this.setClock(serverMilliseconds(answer.serverTime) ?? now());
      return {
        token: answer.token,
        key: await importSigningKey(answer.signingKey),
        issuedAt: this.now(),
        expiresAt: Date.parse(answer.expiresAt),
        clockOffset: this.skew,
      };
    }
  }

  private async fetch(method: string, path: string, details: RequestDetails, held?: Credentials): Promise<Response> {
    const url = new URL(`${this.site.apiOrigin}/api/meta-agent${path}`);
    const body = details.bytes ?? (details.body === undefined ? undefined : utf8(writeJson(details.body)));
    const headers: Record<string, string> = { ...(body && { 'Content-Type': 'application/json' }), ...details.headers };
    if (held) {
      const timestamp = Math.floor(this.now() / 1000);
      const request = { method, url, body: body ?? new Uint8Array() };
      headers.Authorization = `Bearer ${held.token}`;
      Object.assign(headers, await signatureHeaders(held.key, request, timestamp, newNonce(), held.token));
    }
    try {
      return await (details.send ?? fetch)(url, { method, headers, body, signal: details.signal, credentials: 'omit', cache: 'no-store' });
    } catch (error) {
      throw new MisyError('network_error', 0, { message: String(error) });
    }
  }
}

// A request without end would hold up the queue when the network loses answers silently.
function timeout(milliseconds: number): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), milliseconds);
  return controller.signal;
}
