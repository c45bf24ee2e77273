import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { after, describe, test } from 'node:test';
import { MisyClient, MisyProblem, UnexpectedAnswer } from '@misy/api-client';

/** A server that answers as it is told. */
async function answering(answer: RequestListener): Promise<MisyClient> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  return new MisyClient({ origin: `http://127.0.0.1:${address.port}` });
}

describe('the client', () => {
  test('puts everything where it belongs', async () => {
    const seen: string[] = [];
    const misy = await answering((request, response) => {
      const { 'if-match': ifMatch, 'idempotency-key': once, 'x-misy-reason': reason } = request.headers;
      seen.push([request.method, request.url, ifMatch, once, reason].join(' '));
      response.writeHead(204).end();
    });
    const path = { tenantId: 'a/b', siteId: 'ñ' };
    await misy.call('deleteSite', { path });
    await misy.call('changeSite', { path, body: {}, ifMatch: '"3"' });
    await misy.call('createSite', { path, body: { siteId: 'shop', origins: [] }, idempotencyKey: 'k1' });
    await misy.call('listTenants', { query: { q: 'a&b', limit: 2 } });
    await misy.call('suspendTenant', { path, body: {}, reason: 'sin pago: año' });
    assert.deepEqual(seen, [
      'DELETE /api/meta-agent/tenants/a%2Fb/sites/%C3%B1   ',
      'PATCH /api/meta-agent/tenants/a%2Fb/sites/%C3%B1 "3"  ',
      'POST /api/meta-agent/tenants/a%2Fb/sites  k1 ',
      'GET /api/meta-agent/tenants?q=a%26b&limit=2   ',
      'POST /api/meta-agent/tenants/a%2Fb/suspend   sin%20pago%3A%20a%C3%B1o',
    ]);
  });

  test('tells a problem from an answer of somebody else', async () => {
    const misy = await answering((request, response) => {
      if (request.url?.includes('refused')) {
        const body = { type: '', title: '', status: 429, detail: 'Slower.', code: 'rate_limited', requestId: 'req_1' };
        response.writeHead(429, { 'content-type': 'application/problem+json', 'retry-after': '7' }).end(JSON.stringify(body));
      } else if (request.url?.includes('proxy')) response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>');
      else response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome to the hotel</h1>');
    });
    const read = (tenantId: string): Promise<unknown> => misy.call('readTenant', { path: { tenantId } });
    await assert.rejects(read('refused'), (error) => MisyProblem.is(error, 'rate_limited') && error.retryAfter === 7);
    await assert.rejects(read('proxy'), (error) => error instanceof UnexpectedAnswer && error.status === 502);
    await assert.rejects(read('hotel'), (error) => error instanceof UnexpectedAnswer && error.text.includes('hotel'));
  });

  test('gives the times that are free in the place of one that is taken', async () => {
    const alternatives = [{ startsAt: '2026-12-03T20:00:00Z', endsAt: '2026-12-03T20:30:00Z', providerId: 'rojas' }];
    const misy = await answering((_, response) => {
      const body = { type: '', title: '', status: 409, detail: 'Somebody else has this time.', code: 'slot_taken', requestId: 'req_1', alternatives };
      response.writeHead(409, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
    });
    const booking = { serviceId: 'limpieza', startsAt: '2026-12-03T19:30:00Z' };
    const book = misy.call('createBooking', { path: { tenantId: 'andina' }, body: { booking } });
    await assert.rejects(book, (error) => {
      assert.deepEqual(MisyProblem.is(error, 'slot_taken') && error.alternatives, alternatives);
      return true;
    });
  });

  test('goes from page to page, no further than it is asked to', async () => {
    const asked: (string | undefined)[] = [];
    const misy = await answering((request, response) => {
      asked.push(request.url?.split('?')[1]);
      const nextCursor = request.url?.includes('cursor=p2') ? null : 'p2';
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ items: [{ siteId: 'a' }, { siteId: 'b' }], nextCursor }));
    });
    const found: string[] = [];
    for await (const site of misy.all('listSites', { path: { tenantId: 'andina' }, query: { limit: 2 } })) found.push(site.siteId);
    assert.deepEqual([found.join(), asked], ['a,b,a,b', ['limit=2', 'limit=2&cursor=p2']]);
    const first = await misy.all('listSites', { path: { tenantId: 'andina' } }).next();
    assert.deepEqual([first.value?.siteId, asked.length], ['a', 3]);
  });

  test('gives up when it is told to', async () => {
    const misy = await answering(() => undefined);
    await assert.rejects(misy.call('readLiveness', { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' });
  });
});
