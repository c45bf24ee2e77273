// Holds the built files against the size limits of SDK-2. Numbers are bytes.
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
const read = (name) => readFile(new URL(name, dist));
const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;

const [core, widget] = await Promise.all([read('misy.js'), read('misy-widget.js')]);
const rows = [
  ['core (misy.js), gzip', gzip(core), 6 * 1024],
  ['core + widget, gzip', gzip(core) + gzip(widget), 25 * 1024],
  ['core + widget, minified', core.length + widget.length, 50 * 1024],
];

for (const [what, size, limit] of rows) {
  console.log(`${size < limit ? 'ok  ' : 'OVER'} ${what.padEnd(26)} ${String(size).padStart(6)} of ${limit}`);
}
if (rows.some(([, size, limit]) => size >= limit)) process.exitCode = 1;
