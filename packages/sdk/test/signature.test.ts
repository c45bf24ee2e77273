import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canonicalRequest, importSigningKey, newNonce, signatureHeaders, utf8 } from '../src/core/signature.js';

const KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('base64url');
const TIMESTAMP = 1790000000;
const TOKEN = 'header.payload.signature';

// The vectors of the wire contract; the server and the helpers of other languages are held against the same ones.
const vectors = [
  {
    what: 'a body with characters beyond ASCII',
    request: { method: 'POST', url: 'https://api.example.com/api/meta-agent/messages', body: '{"text":"¿Tienen hora mañana?"}' },
    nonce: 'bm9uY2UtMDAwMQ',
    token: TOKEN,
    signature: 'v1=62c48878c80ade2e920a4ae07c61832ae34c5c26a2535e979202ddd89def386d',
  },
  {
    what: 'a query and a port, without a body',
    request: { method: 'GET', url: 'http://localhost:8787/api/meta-agent/sessions/ses_1/messages?after=3&limit=20', body: '' },
    nonce: 'bm9uY2UtMDAwMg',
    token: TOKEN,
    signature: 'v1=a7f7d74123812f44236dd61fcbbfb3606145161e1c9b949c603122c88129c1c2',
  },
  {
    what: 'a request without a token',
    request: { method: 'POST', url: 'https://api.example.com/api/meta-agent/tokens', body: '{"siteId":"main"}' },
    nonce: 'bm9uY2UtMDAwMw',
    token: '',
    signature: 'v1=79a25f6e4d0e3aaa9f6eade53ccc5ca3cc24ae489941e17c0eb6555f56dddc95',
  },
];

describe('the request signature', () => {
  for (const { what, request, nonce, token, signature } of vectors) {
    test(`agrees with the contract's vector for ${what}`, async () => {
      const key = await importSigningKey(KEY);
      const signed = { method: request.method, url: new URL(request.url), body: utf8(request.body) };
      const headers = await signatureHeaders(key, signed, TIMESTAMP, nonce, token);
      assert.deepEqual(headers, {
        'X-Misy-Timestamp': String(TIMESTAMP),
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
