import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { localeOf } from '../src/core/locale.js';

// What the server takes; anything else is answered with 422.
const TAKEN = /^[a-z]{2,3}(-[a-z\d]{2,8})*$/i;

describe('the locale of a page', () => {
  for (const [written, sent] of [
    ['es', 'es'],
    ['es-CL', 'es-CL'],
    ['es_CL', 'es-CL'],
    ['EN_us', 'en-US'],
    ['zh_hant_tw', 'zh-Hant-TW'],
    ['es-419', 'es-419'],
    [' pt-BR ', 'pt-BR'],
    ['de-DE-u-co-phonebk', 'de-DE'],
    ['en-x-private', 'en'],
    ['ca-ES-valencia', 'ca-ES-valencia'],
  ] as const) {
    test(`"${written}" is sent as ${sent}`, () => {
      assert.equal(localeOf(written), sent);
      assert.match(sent, TAKEN);
    });
  }

  for (const nonsense of ['', ' ', 'e', 'english', 'no language at all', 'es-', '{{lang}}', 'es_CL.UTF-8', '-', '12', undefined]) {
    test(`${JSON.stringify(nonsense)} is left out`, () => assert.equal(localeOf(nonsense), undefined));
  }

  test('a tag over 35 characters is left out', () => {
    assert.equal(localeOf('ca-Latn-ES-valencia-abcdefgh-ijklmnop'), undefined);
  });
});
