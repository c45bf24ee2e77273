// Holds the built files against the size limits of SDK-2. Numbers are bytes.
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
const read = (name) => readFile(new URL(name, dist));
const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;

const all = await Promise.all(['misy.js', 'misy-widget.js', 'misy-live.js'].map(read));
const [core] = all;
const total = (sizes) => sizes.reduce((sum, size) => sum + size, 0);
const rows = [
  ['core (misy.js), gzip', gzip(core), 6 * 1024],
  ['everything, gzip', total(all.map(gzip)), 25 * 1024],
  ['everything, minified', total(all.map(({ length }) => length)), 50 * 1024],
];

for (const [what, size, limit] of rows) {
  console.log(`${size < limit ? 'ok  ' : 'OVER'} ${what.padEnd(26)} ${String(size).padStart(6)} of ${limit}`);
}
if (rows.some(([, size, limit]) => size >= limit)) process.exitCode = 1;
