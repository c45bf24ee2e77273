/** What a signature covers besides time, nonce and token. */
export interface SignedRequest {
  method: string;
  url: URL;
  body: Uint8Array<ArrayBuffer>;
}

const encoder = new TextEncoder();
const HMAC = { name: 'HMAC', hash: 'SHA-256' };

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text);

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');

const sha256 = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> => hex(await crypto.subtle.digest('SHA-256', bytes));

const base64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

/** Imports the key bound to a token. The browser keeps it from then on and gives it to nobody, the SDK included. */
export async function importSigningKey(encoded: string): Promise<CryptoKey> {
  const bytes = Uint8Array.from(atob(encoded.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0));
  const key = await crypto.subtle.importKey('raw', bytes, HMAC, false, ['sign']);
  bytes.fill(0);
  return key;
}

/** 128 random bits, so that no two requests of a tenant share one. */
export const newNonce = (): string => base64Url(crypto.getRandomValues(new Uint8Array(16)));

/** The text that is signed. Path and query stand as they do on the request line, still percent-encoded. */
export async function canonicalRequest(
  request: SignedRequest,
  timestamp: number,
  nonce: string,
  token: string,
): Promise<string> {
  const { url } = request;
  return [
    'v1',
    request.method,
    url.host,
    url.pathname,
    url.search.slice(1),
    await sha256(request.body),
    timestamp,
    nonce,
    token && (await sha256(utf8(token))),
  ].join('\n');
}

/** The headers that prove a request comes from the holder of `key`. `timestamp` is in Unix seconds. */
export async function signatureHeaders(
  key: CryptoKey,
  request: SignedRequest,
  timestamp: number,
  nonce: string,
  token: string,
): Promise<Record<string, string>> {
  const canonical = await canonicalRequest(request, timestamp, nonce, token);
  return {
    'X-Misy-Timestamp': String(timestamp),
    'X-Misy-Nonce': nonce,
    'X-Misy-Signature': `v1=${hex(await crypto.subtle.sign(HMAC, key, utf8(canonical)))}`,
  };
}
