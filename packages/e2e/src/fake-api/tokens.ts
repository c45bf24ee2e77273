import { createHash, createHmac, hkdfSync, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';

/** What a token stands for in the fake API. */
export interface Claims {
  tenantId: string;
  siteId: string;
  origin: string;
  iat: number;
  exp: number;
  jti: string;
  permissions: string[];
}

export interface SignedCall {
  method: string;
  host: string;
  path: string;
  query: string;
  body: Buffer;
  headers: Record<string, string | string[] | undefined>;
}

/** The `code` of a 401. */
export class Refused extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

const WINDOW_SECONDS = 300;
const RENEWABLE_SECONDS = 30 * 24 * 3600;
const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');

/**
 * Tokens and request signatures as the wire contract has them: a key bound to each token by HKDF, time window, replay
 * check. The token is signed with HS256, which is enough where one process makes and checks it.
 */
export class TokenDesk {
  private readonly tokenKey = randomBytes(32);
  private readonly roots = new Map<string, Buffer>();
  private readonly nonces = new Set<string>();
  private readonly revoked = new Set<string>();
  lifeSeconds = 24 * 3600;
  permissions = ['chat:read', 'chat:write', 'files:upload'];

  constructor(private readonly now: () => number) {}

  mint(tenantId: string, siteId: string, origin: string): { token: string; signingKey: string; claims: Claims } {
    const iat = Math.floor(this.now() / 1000);
    const claims: Claims = { tenantId, siteId, origin, iat, exp: iat + this.lifeSeconds, jti: randomUUID(), permissions: this.permissions };
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const unsigned = `${part({ alg: 'HS256', typ: 'tat+jwt', kid: 'fake' })}.${part(claims)}`;
    const signature = createHmac('sha256', this.tokenKey).update(unsigned).digest('base64url');
    return { token: `${unsigned}.${signature}`, signingKey: this.boundKey(claims).toString('base64url'), claims };
  }

  revoke(jti: string): void {
    this.revoked.add(jti);
  }

  /** Checks token, time, signature and replay, in the order of the pipeline. `renewal` takes an expired token too. */
  check(call: SignedCall, renewal = false): Claims {
    const header = (name: string): string => {
      const value = call.headers[name];
      return typeof value === 'string' ? value : '';
    };
    const token = /^Bearer (.+)$/.exec(header('authorization'))?.[1];
    if (!token) throw new Refused('token_missing');
    const claims = this.read(token);
    const seconds = Math.floor(this.now() / 1000);
    if (seconds >= claims.exp + (renewal ? RENEWABLE_SECONDS : 0)) throw new Refused('token_expired');
    if (this.revoked.has(claims.jti)) throw new Refused('token_revoked');
    const timestamp = header('x-misy-timestamp');
    const nonce = header('x-misy-nonce');
    const presented = header('x-misy-signature').split(' ');
    if (!timestamp || !nonce || !presented[0]) throw new Refused('signature_missing');
    const canonical = ['v1', call.method, call.host, call.path, call.query, sha256(call.body), timestamp, nonce, sha256(token)];
    const expected = Buffer.from(`v1=${createHmac('sha256', this.boundKey(claims)).update(canonical.join('\n')).digest('hex')}`);
    const equal = (value: string): boolean => {
      const bytes = Buffer.from(value);
      return bytes.length === expected.length && timingSafeEqual(bytes, expected);
    };
    if (!presented.some(equal)) throw new Refused('signature_invalid');
    if (Math.abs(Number(timestamp) - seconds) > WINDOW_SECONDS) throw new Refused('timestamp_out_of_window');
    const use = `${claims.tenantId} ${nonce}`;
    if (this.nonces.has(use)) throw new Refused('replay_detected');
    this.nonces.add(use);
    return claims;
  }

  private read(token: string): Claims {
    const [header = '', payload = '', signature] = token.split('.');
    const expected = createHmac('sha256', this.tokenKey).update(`${header}.${payload}`).digest('base64url');
    if (signature !== expected) throw new Refused('token_invalid');
    return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims;
  }

  private boundKey(claims: Claims): Buffer {
    const { tenantId, siteId, jti } = claims;
    const root = this.roots.get(tenantId) ?? randomBytes(32);
    this.roots.set(tenantId, root);
    return Buffer.from(hkdfSync('sha256', root, jti, `misy-req-v1|${tenantId}|${siteId}`, 32));
  }
}
