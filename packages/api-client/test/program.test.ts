import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bearer, MisyClient, MisyProblem, publishableKey, type Schemas, signedToken, tenantSecret } from '@misy/api-client';

const { MISY_E2E_API: origin = '', MISY_E2E_TOKEN: token = '' } = process.env;
const skip = origin ? false : 'needs a program that runs: scripts/with-demo npm run test:api-client';

const nobody = new MisyClient({ origin });
const owner = nobody.as(bearer(token));
const path = { tenantId: 'colombiatic' };

async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let left = 200; left > 0; left--) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('it did not happen');
}

/** A visitor of the owner's own site. */
async function visitor(): Promise<{ misy: MisyClient; session: Schemas['SessionAnswer'] }> {
  const site = (await owner.list('listSites', { path }))[0];
  assert.ok(site?.origins[0]);
  const key = await owner.call('createKey', { path, body: { siteId: site.siteId, name: 'tests' } });
  const page = publishableKey(key.key ?? '', site.origins[0]);
  const minted = await nobody.as(page).call('mintToken', { body: { siteId: site.siteId } });
  assert.ok(minted.signingKey);
  const misy = nobody.as(signedToken({ token: minted.token, signingKey: minted.signingKey, origin: site.origins[0] }));
  return { misy, session: await misy.call('openSession', { body: { channel: 'web', locale: 'es-CO' } }) };
}

describe('the client and the program', { skip }, () => {
  test('a program that runs says so', async () => {
    const health = await nobody.call('readReadiness');
    assert.deepEqual([health.status, health.parts?.[0]?.name], ['ok', 'postgresql']);
    const { keys } = await nobody.call('readPublicKeys');
    assert.ok(keys[0]?.kid);
  });

  test('all tenants are listed, two on each page', async () => {
    const ids: string[] = [];
    for await (const tenant of owner.all('listTenants', { query: { limit: 2 } })) ids.push(tenant.tenantId);
    for (const id of ['andina', 'colombiatic', 'northwind-bikes', 'verde-cafe']) assert.ok(ids.includes(id), ids.join());
    assert.equal(new Set(ids).size, ids.length);
  });

  test('a change names the version that was read, and one that comes too late is told so', async () => {
    const read = await owner.request('readTenant', { path });
    assert.ok(read.etag);
    const body = { businessIndustry: 'Software and tests' };
    const changed = await owner.request('changeTenant', { path, body, ifMatch: read.etag });
    assert.equal(changed.data.businessIndustry, body.businessIndustry);
    assert.notEqual(changed.etag, read.etag);
    const late = owner.call('changeTenant', { path, body: { businessIndustry: 'Late' }, ifMatch: read.etag });
    await assert.rejects(late, (error) => MisyProblem.is(error, 'stale') && error.status === 412);
  });

  test('what is made with the same idempotency key is made once', async () => {
    const idempotencyKey = crypto.randomUUID();
    const site = (await owner.list('listSites', { path }))[0];
    assert.ok(site);
    const make = (name: string): Promise<Schemas['Key']> =>
      owner.call('createKey', { path, body: { siteId: site.siteId, name }, idempotencyKey });
    const [first, again] = [await make('once'), await make('once')];
    assert.equal(again.keyId, first.keyId);
    await assert.rejects(make('twice'), (error) => MisyProblem.is(error, 'idempotency_mismatch'));
    await owner.call('revokeKey', { path: { ...path, keyId: first.keyId }, query: { tokens: 'revoke' } });
    const keys = await owner.list('listKeys', { path });
    assert.ok(keys.find((key) => key.keyId === first.keyId)?.revokedAt);
  });

  test('a mistake is told with its place', async () => {
    const body = { siteId: 'Not A Slug', origins: ['https://shop.example'] };
    await assert.rejects(owner.call('createSite', { path, body }), (error) => {
      assert.ok(MisyProblem.is(error, 'validation_failed'));
      assert.deepEqual(error.errors.map(({ pointer, code }) => [pointer, code]), [['/siteId', 'format']]);
      return error.requestId.startsWith('req_');
    });
    await assert.rejects(nobody.call('readTenant', { path }), (error) => MisyProblem.is(error, 'token_missing'));
  });

  test('a context pack is read, changed and put back', async () => {
    const { data: pack, etag } = await owner.request('readContextPack', { path });
    assert.ok(etag);
    const faq = [...(pack.faq ?? []), { id: 'typed', question: 'Is the client typed?', answer: 'Down to the last word.' }];
    await owner.call('replaceContextPack', { path, body: { ...pack, faq }, ifMatch: etag });
    const read = await owner.call('readContextPack', { path });
    assert.deepEqual(read.faq?.at(-1), faq.at(-1));
    await owner.call('replaceContextPack', { path, body: pack });
  });

  test('a visitor talks, and the decision says why it was answered so', async () => {
    const { misy, session } = await visitor();
    assert.ok(session.languages.includes('es'));
    const sessionId = session.sessionId;
    const receipt = await misy.call('writeMessage', { body: { sessionId, text: '¿Qué servicios ofrecen?' } });
    const answer = await eventually(async () => {
      const messages = await misy.list('listMessages', { path: { sessionId } });
      return messages.find((message) => message.role === 'agent');
    });
    assert.deepEqual(answer.inReplyTo, [receipt.messageId]);
    const state = await misy.call('readSession', { path: { sessionId } });
    assert.deepEqual([state.status, state.channel], ['active', 'web']);
    const decision = await owner.call('readDecision', { path, query: { messageId: receipt.messageId } });
    assert.equal(decision.language, 'es');
    assert.ok(decision.intent.score > 0 && decision.rules.length > 0);
    assert.equal(decision.outcome, 'answer');
    assert.ok(decision.candidates.length <= 8 && decision.candidates.every((one) => one.probability <= 1));
  });

  test('events are read as they come', async () => {
    const { misy, session } = await visitor();
    const controller = new AbortController();
    const events = await misy.open('followSession', { path: { sessionId: session.sessionId }, signal: controller.signal });
    await misy.call('writeMessage', { body: { sessionId: session.sessionId, text: 'Hola' } });
    let seen = '';
    const decoder = new TextDecoder();
    assert.ok(events.body);
    for await (const chunk of events.body) {
      seen += decoder.decode(chunk, { stream: true });
      if (seen.includes('event: message')) break;
    }
    controller.abort();
    assert.match(seen, /event: message/);
  });

  test('a server mints with its secret', async () => {
    const registered = await owner.call('registerTenant', {
      body: {
        tenantName: 'Client',
        tenantId: `client-${Date.now()}`,
        contactEmail: 'hola@client.example',
        websiteUrl: 'https://client.example',
        businessIndustry: 'Tests',
      },
    });
    const server = nobody.as(tenantSecret(registered.tenantSecret));
    const minted = await server.call('mintToken', { body: { siteId: registered.site.siteId, sig: 'token' } });
    assert.equal(minted.tokenType, 'TAT');
  });

  test('what is no JSON comes as text', async () => {
    const csv = await owner.text('readUsage', { path, query: { format: 'csv', groupBy: 'channel' } });
    assert.match(csv, /^channel,kind,amount,events/);
    const report = await owner.text('readAuditReport', { path, query: { format: 'markdown', lang: 'es' } });
    assert.match(report, /^# /);
    const trail = await owner.list('listAudit', { path, query: { kind: 'change', limit: 200 } });
    assert.ok(trail.some((entry) => entry.action === 'replaceContextPack'));
  });
});
