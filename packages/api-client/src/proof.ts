/** A request that is about to be sent. */
export interface Outgoing {
  method: string;
  url: URL;
  body: Uint8Array<ArrayBuffer>;
}

/** Proves who calls: gives the headers that go with a request. */
export type Proof = (request: Outgoing) => Record<string, string> | Promise<Record<string, string>>;

/** A bearer token: a personal one (`pat_…`), the token of a registration (`adm_…`), the bootstrap secret. */
export function bearer(token: string): Proof {
  return () => ({ authorization: `Bearer ${token}` });
}

/** The session of a person in this browser, whose cookie goes along; `csrfToken` as the last answer said it. */
export function session(csrfToken: () => string): Proof {
  return ({ method }): Record<string, string> => (method === 'GET' ? {} : { 'x-misy-csrf': csrfToken() });
}

/** A publishable key, for `mintToken`. Outside of a browser the origin of the page must be said. */
export function publishableKey(key: string, origin?: string): Proof {
  return () => ({ 'x-api-key': key, ...(origin ? { origin } : {}) });
}

/** A tenant secret, for `mintToken` on a server. */
export function tenantSecret(secret: { keyId: string; secret: string }): Proof {
  const sign = signer(secret.secret);
  return async (request) => ({ 'x-misy-key': secret.keyId, ...(await sign(request, '')) });
}

/** A tenant access token with the key that signs its requests, as `mintToken` answered them. */
export function signedToken(token: { token: string; signingKey: string; origin?: string }): Proof {
  const sign = signer(token.signingKey);
  return async (request) => ({
    authorization: `Bearer ${token.token}`,
    ...(token.origin ? { origin: token.origin } : {}),
    ...(await sign(request, token.token)),
  });
}

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
const digest = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> => hex(await crypto.subtle.digest('SHA-256', bytes));

/** Signs requests with a key in base64url: the canonical request of `crates/trust/src/request_signature.rs`. */
function signer(encoded: string): (request: Outgoing, token: string) => Promise<Record<string, string>> {
  const bytes = Uint8Array.from(atob(encoded.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
  const key = crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return async ({ method, url, body }, token) => {
    const timestamp = String(Math.floor(Date.now() / 1000));
    const nonce = hex(crypto.getRandomValues(new Uint8Array(16)).buffer);
    const tokenDigest = token && (await digest(utf8(token)));
    const parts = ['v1', method, url.host, url.pathname, url.search.slice(1), await digest(body), timestamp, nonce, tokenDigest];
    const signature = await crypto.subtle.sign('HMAC', await key, utf8(parts.join('\n')));
    return { 'x-misy-timestamp': timestamp, 'x-misy-nonce': nonce, 'x-misy-signature': `v1=${hex(signature)}` };
  };
}
