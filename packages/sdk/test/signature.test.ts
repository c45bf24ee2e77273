import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { canonicalRequest, importSigningKey, newNonce, signatureHeaders, utf8 } from '../src/core/signature.js';

// The vectors of the wire contract; the server and the helpers of other languages are held against the same ones.
interface Vector {
  what: string;
  method: string;
  url: string;
  body: string;
  timestamp: number;
  nonce: string;
  token: string;
  signature: string;
}
const source = new URL('../../affiliates/request-signature.json', import.meta.url);
const { key: KEY, vectors } = JSON.parse(readFileSync(source, 'utf8')) as { key: string; vectors: Vector[] };
const TIMESTAMP = 1790000000;

describe('the request signature', () => {
  for (const { what, method, url, body, timestamp, nonce, token, signature } of vectors) {
    test(`agrees with the contract's vector for ${what}`, async () => {
      const key = await importSigningKey(KEY);
      const signed = { method, url: new URL(url), body: utf8(body) };
      const headers = await signatureHeaders(key, signed, timestamp, nonce, token);
      assert.deepEqual(headers, {
        'X-Misy-Timestamp': String(timestamp),
        'X-Misy-Nonce': nonce,
        'X-Misy-Signature': signature,
      });
    });
  }

  test('covers path and query as they stand on the request line, still percent-encoded', async () => {
    const url = new URL('https://api.example.com:8443/a%20b/ñ?q=%C3%B1&x=a+b');
    const canonical = await canonicalRequest({ method: 'GET', url, body: new Uint8Array() }, TIMESTAMP, 'n', '');
    assert.deepEqual(canonical.split('\n').slice(1, 5), ['GET', 'api.example.com:8443', '/a%20b/%C3%B1', 'q=%C3%B1&x=a+b']);
    assert.equal(canonical.split('\n').length, 9);
    assert.ok(canonical.endsWith('\n'));
  });

  test('is made with a key that cannot be read back', async () => {
    const key = await importSigningKey(KEY);
    assert.equal(key.extractable, false);
    await assert.rejects(crypto.subtle.exportKey('raw', key));
  });

  test('uses nonces that the server accepts and that do not repeat', () => {
    const nonces = new Set(Array.from({ length: 500 }, newNonce));
    assert.equal(nonces.size, 500);
    for (const nonce of nonces) assert.match(nonce, /^[A-Za-z0-9_-]{22}$/);
  });
});
