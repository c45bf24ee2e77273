import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Data, type Item, MisyClient, MisyProblem, type ProblemCode, type Schemas } from '@misy/api-client';

const root = new URL('../', import.meta.url);
const run = promisify(execFile);

/** Whether two types are the same. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
const holds = (...facts: true[]): void => assert.ok(facts.every(Boolean));

/** Never called: the compiler reads it. What must not compile is marked, and an error where there is none is one too. */
export async function compiles(misy: MisyClient): Promise<void> {
  const path = { tenantId: 'andina' };

  const tenant = await misy.call('readTenant', { path });
  holds(true satisfies Same<typeof tenant.status, 'active' | 'suspended' | 'closed'>);
  holds(true satisfies Same<typeof tenant.plan, 'FREE' | 'PRO' | 'ENTERPRISE'>);
  holds(true satisfies Same<Item<'listSites'>, Schemas['Site']>);
  holds(true satisfies Same<Data<'deleteSite'>, undefined>);
  // @ts-expect-error a tenant is not in this state
  assert.notEqual(tenant.status satisfies 'active', 'gone');

  const pack = await misy.call('readContextPack', { path });
  const prices: number[] = (pack.services ?? []).flatMap((service) => service.price?.amount ?? []);
  const opens: string | undefined = pack.openingHours?.weekly.mon?.[0]?.[0];
  const faq = [...(pack.faq ?? []), { id: 'parking', question: 'Can I park?', answer: `From ${String(opens)}, for ${String(prices[0])}.` }];
  await misy.call('replaceContextPack', { path, body: { ...pack, faq } });
  // @ts-expect-error a question has an answer
  await misy.call('replaceContextPack', { path, body: { ...pack, faq: [{ id: 'parking', question: 'Can I park?' }] } });

  const decision = await misy.call('readDecision', { path, query: { messageId: 'msg_…' } });
  holds(true satisfies Same<typeof decision.language, 'es' | 'en' | 'pt'>);
  const score: number = decision.intent.score;
  assert.ok(score <= 1 && decision.rules.every((rule) => rule.includes(':')));

  const answer = await misy.call('signIn', { body: { email: 'ana@business.example', password: '…' } });
  if (answer.status === 'signed_in') holds(true satisfies Same<typeof answer.csrfToken, string>);
  else if (answer.status === 'tenant_required') holds(true satisfies Same<(typeof answer.tenants)[number], Schemas['TenantChoice']>);
  else holds(true satisfies Same<(typeof answer.factors)[number], 'totp' | 'recovery_code' | 'passkey'>);

  // @ts-expect-error there is no such operation
  await misy.call('readEverything');
  // @ts-expect-error the path names a tenant
  await misy.call('readTenant');
  // @ts-expect-error it is called tenantId
  await misy.call('readTenant', { path: { tenant: 'andina' } });
  // @ts-expect-error a key is for a site
  await misy.call('createKey', { path, body: { name: 'shop' } });
  // @ts-expect-error nobody is of this status
  await misy.call('listUsers', { path, query: { status: 'gone' } });
  // @ts-expect-error reading takes no idempotency key
  await misy.call('readTenant', { path, idempotencyKey: 'once' });
  // @ts-expect-error one tenant is no list
  misy.all('readTenant', { path });
  // @ts-expect-error a tenant is never a table
  await misy.text('readTenant', { path });
}

/** Every kind of problem has its place, or this does not compile. */
export function explain(code: 'stale' | 'rate_limited' | 'not_found'): string {
  const known: ProblemCode = code;
  switch (known) {
    case 'stale':
      return 'Somebody was faster.';
    case 'rate_limited':
      return 'Slower.';
    case 'not_found':
      return 'It is gone.';
  }
}

describe('the types', () => {
  test('hold, and what must not compile does not', async () => {
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
    await run(process.execPath, [tsc, '--noEmit', '-p', fileURLToPath(root)]);
  });

  test('need no cast: there is one, where answers come off the wire', async () => {
    const sources = (await readdir(new URL('src', root))).filter((name) => name.endsWith('.ts'));
    const tests = (await readdir(new URL('test', root))).map((name) => `../test/${name}`);
    const casts: string[] = [];
    for (const name of [...sources, ...tests]) {
      const text = await readFile(new URL(`src/${name}`, root), 'utf8');
      const code = text.replace(/\/\*\*?[\s\S]*?\*\/|\/\/.*|import .*|export \{.*|'[^']*'/g, '');
      for (const line of code.split('\n')) {
        if (/\bas (?!const\b)|\bany\b|@ts-ignore/.test(line) && !line.includes('casts')) casts.push(`${name}: ${line.trim()}`);
      }
    }
    assert.deepEqual(casts, ["client.ts: return (text ===  ? undefined : JSON.parse(text)) as T;"]);
  });

  test('are those of the problems that are caught', () => {
    const body = { type: 'urn:misy:problem:stale', title: 'Stale', status: 412, detail: 'It was changed.', requestId: 'req_1' };
    const caught: unknown = new MisyProblem({ ...body, code: 'stale' });
    assert.ok(MisyProblem.is(caught, 'stale') && !MisyProblem.is(caught, 'not_found'));
    assert.equal(explain('stale'), 'Somebody was faster.');
  });
});
