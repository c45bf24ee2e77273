// Builds what the API server serves under /sdk/ and what the npm package holds. File names are stable.
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { privateNames } from './private-names.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = (name) => join(root, 'src', name);
const dist = join(root, 'dist');

/** Style sheets become minified strings: the widget adopts them as constructed sheets, which a strict CSP allows. */
const styleAsText = {
  name: 'style-as-text',
  setup(bundler) {
    bundler.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), { loader: 'css', minify: true });
      return { contents: code.trim(), loader: 'text' };
    });
  },
};

/** A field without a value needs no code. */
const PLAIN_FIELDS = { compilerOptions: { useDefineForClassFields: false } };

const common = { bundle: true, minify: true, target: 'es2022', charset: 'utf8', plugins: [styleAsText], legalComments: 'none', tsconfigRaw: PLAIN_FIELDS, mangleProps: await privateNames(join(root, 'src')) };

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
// One after the other: the widget calls members of the core by the short names that the core was given.
let mangleCache = {};
for (const [entry, file, options] of [
  ['script.ts', 'misy.js', { format: 'iife' }],
  ['widget-script.ts', 'misy-widget.js', { format: 'iife' }],
  ['live-script.ts', 'misy-live.js', { format: 'iife' }],
  ['misy.ts', 'misy.mjs', { format: 'esm', external: ['./misy-widget.mjs', './misy-live.mjs'] }],
  ['misy-widget.mts', 'misy-widget.mjs', { format: 'esm' }],
  ['misy-live.mts', 'misy-live.mjs', { format: 'esm' }],
]) {
  const built = await build({ ...common, ...options, mangleCache, entryPoints: [source(entry)], outfile: join(dist, file) });
  mangleCache = built.mangleCache;
}

// Only these two declarations are reachable from the public entry.
const types = await mkdtemp(join(tmpdir(), 'misy-types-'));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const declare = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', types, '--rootDir', join(root, 'src')];
execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), ...declare], { stdio: 'inherit' });
await Promise.all(['misy.d.ts', 'public.d.ts'].map((file) => copyFile(join(types, file), join(dist, file))));
await rm(types, { recursive: true });
