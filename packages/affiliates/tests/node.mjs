// Says in JSON what the helper makes of the vectors, and of a short conversation with the API that the environment names.
import { readFileSync } from 'node:fs';
import { MisyError, MisyServer, signatureHeaders } from '../node/misy.mjs';

const { key, vectors } = JSON.parse(readFileSync(new URL('../request-signature.json', import.meta.url), 'utf8'));
const signatures = vectors.map((vector) => signatureHeaders(Buffer.from(key, 'base64url'), vector)['X-Misy-Signature']);

const { MISY_API: apiOrigin, MISY_TENANT: tenantId, MISY_SECRET_ID: secretId, MISY_SECRET: secret } = process.env;
const misy = new MisyServer({ apiOrigin, secretId, secret, permissions: ['chat:read', 'chat:write'] });
const session = await misy.call('POST', '/sessions', { channel: 'web', locale: 'es-CO' });
const envelope = { tenantId, siteId: 'main', sessionId: session.sessionId, channel: 'web', metadata: {} };
await misy.call('POST', '/messages', { ...envelope, clientMessageId: 'first', text: '¿Tienen hora mañana?' });
const history = await misy.call('GET', `/sessions/${session.sessionId}/messages?after=0&limit=1`);
let refusal;
try {
  await misy.call('GET', '/sessions/ses_01k9z3v5d2m8q4x7c1b6n0f9gh');
} catch (error) {
  refusal = error instanceof MisyError && error.code;
}
console.log(JSON.stringify({ signatures, text: history.items[0].parts[0].text, refusal }));
