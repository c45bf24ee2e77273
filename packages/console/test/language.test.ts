import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { sayIn, type Text } from '../src/words/language.js';

const texts = { seen: ['Visto {when}', 'Seen {when}', 'Visto {when}'], sites: ['{count} sitio|{count} sitios', '{count} site|{count} sites', '{count} site|{count} sites'] } as const;

test('a text is said in each language, with what belongs into it', () => {
  assert.equal(sayIn('es', texts)('seen', { when: 'hoy' }), 'Visto hoy');
  assert.equal(sayIn('en', texts)('sites', { count: 1 }), '1 site');
  assert.equal(sayIn('pt', texts)('sites', { count: 1200 }), '1.200 sites');
});

test('what somebody called a thing is no place to fill in', () => {
  assert.equal(sayIn('en', texts)('seen', { when: '{when} $& <b>' }), 'Seen {when} $& <b>');
});

test('each text says all it is given in all languages', async () => {
  const source = new URL('../src/', import.meta.url);
  const files = (await readdir(source, { recursive: true })).filter((name) => name.endsWith('texts.ts'));
  assert.ok(files.length >= 10, files.join());
  for (const file of files) {
    const found: unknown = await import(new URL(file, source).href);
    assert.ok(typeof found === 'object' && found !== null);
    for (const catalogue of Object.values(found)) {
      if (typeof catalogue !== 'object') continue;
      for (const [name, text] of Object.entries(catalogue as Record<string, Text>)) {
        const [one, ...others] = text.map((said) => [...new Set(said.match(/\{\w+\}/g))].sort().join());
        assert.equal(text.length, 3, `${file}: ${name}`);
        for (const other of others) assert.equal(other, one, `${file}: ${name}`);
      }
    }
  }
});
