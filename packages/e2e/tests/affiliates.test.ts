import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Installation, NO_PROGRAM, type Registered } from '../src/installation.js';

const AFFILIATES = new URL('../../affiliates/', import.meta.url);
const HELPERS: [string, string, string[]][] = [
  ['Node.js', process.execPath, ['tests/node.mjs']],
  ['Python', 'python3', ['tests/python.py']],
  ['PHP', 'php', ['tests/php.php']],
];

describe('helpers for the servers of a site', { skip: NO_PROGRAM }, () => {
  let installation: Installation;
  let owner: Registered;
  let signatures: string[];
  before(async () => {
    installation = await Installation.start();
    owner = await installation.register();
    const known = JSON.parse(await readFile(new URL('request-signature.json', AFFILIATES), 'utf8')) as {
      vectors: { signature: string }[];
    };
    signatures = known.vectors.map(({ signature }) => signature);
  });
  after(() => installation.stop());

  for (const [name, program, script] of HELPERS) {
    test(`${name}: the contract's signatures, a conversation with the running program, and a refusal by its code`, async () => {
      const { stdout } = await promisify(execFile)(program, script, {
        cwd: AFFILIATES,
        env: {
          ...process.env,
          MISY_API: installation.origin,
          MISY_TENANT: owner.tenantId,
          MISY_SECRET_ID: owner.tenantSecret.keyId,
          MISY_SECRET: owner.tenantSecret.secret,
        },
      });
      assert.deepEqual(JSON.parse(stdout), { signatures, text: '¿Tienen hora mañana?', refusal: 'not_found' });
    });
  }
});
