// Holds what a first visit loads against its limit: the page, its style sheet, and each script that the page or one of those imports.
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const LIMIT = 200 * 1024;
const dist = new URL('../dist/', import.meta.url);
const page = await readFile(new URL('index.html', dist), 'utf8');

const seen = new Map();
async function load(file) {
  if (seen.has(file)) return;
  const bytes = await readFile(new URL(file, dist));
  seen.set(file, gzipSync(bytes, { level: 9 }).length);
  if (!file.endsWith('.js')) return;
  const imported = [...bytes.toString().matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g)].map(([, name]) => `assets/${name}`);
  await Promise.all(imported.map(load));
}
await Promise.all([...page.matchAll(/(?:src|href)="\/console\/([^"]+)"/g)].map(([, file]) => load(file)));

const total = [...seen.values()].reduce((sum, size) => sum + size, gzipSync(page).length);
console.log(`${total < LIMIT ? 'ok  ' : 'OVER'} first load of the console, gzip ${String(total).padStart(6)} of ${LIMIT}, in ${seen.size} files`);
if (total >= LIMIT) process.exitCode = 1;
