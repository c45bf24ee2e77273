// Holds the built files against the size limits of SDK-2. Numbers are bytes.
//
// What a chat in plain words loads counts against the 50 KB (25 KB compressed): the core, the live feed, the widget and the largest
// of the languages that agents speak. Parts that come only when somebody needs them do not: `misy-rich.js` comes with the first
// message that is more than text, `misy-files.js` when somebody is about to send a file. Each has a limit of its own.
import { readFile, readdir } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
const LANGUAGES = ['en', 'es', 'pt'].map((language) => `misy-${language}.js`);
const ALWAYS = ['misy.js', 'misy-live.js', 'misy-widget.js'];
const ON_DEMAND = 12 * 1024;

const files = (await readdir(dist)).filter((name) => name.endsWith('.js'));
const size = Object.fromEntries(
  await Promise.all(
    files.map(async (name) => {
      const bytes = await readFile(new URL(name, dist));
      return [name, { minified: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length }];
    }),
  ),
);
const total = (names, of) => names.reduce((sum, name) => sum + size[name][of], 0);
const largest = (of) => Math.max(...LANGUAGES.map((name) => size[name][of]));
const onDemand = files.filter((name) => !ALWAYS.includes(name) && !LANGUAGES.includes(name));

const rows = [
  ['core (misy.js), gzip', size['misy.js'].gzip, 6 * 1024],
  ['a chat, minified', total(ALWAYS, 'minified') + largest('minified'), 50 * 1024],
  ['a chat, gzip', total(ALWAYS, 'gzip') + largest('gzip'), 25 * 1024],
  ...onDemand.map((name) => [`${name}, minified`, size[name].minified, ON_DEMAND]),
];

for (const [what, is, limit] of rows) {
  console.log(`${is < limit ? 'ok  ' : 'OVER'} ${what.padEnd(26)} ${String(is).padStart(6)} of ${limit}`);
}
if (rows.some(([, is, limit]) => is >= limit)) process.exitCode = 1;
