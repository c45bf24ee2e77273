// Builds what the API server serves under /sdk/ and what the npm package holds. File names are stable.
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

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

const common = { bundle: true, minify: true, target: 'es2022', charset: 'utf8', plugins: [styleAsText], legalComments: 'none' };

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
await Promise.all([
  build({ ...common, entryPoints: [source('script.ts')], outfile: join(dist, 'misy.js'), format: 'iife' }),
  build({ ...common, entryPoints: [source('widget-script.ts')], outfile: join(dist, 'misy-widget.js'), format: 'iife' }),
  build({
    ...common,
    entryPoints: [source('misy.ts')],
    outfile: join(dist, 'misy.mjs'),
    format: 'esm',
    external: ['./misy-widget.mjs'],
  }),
  build({ ...common, entryPoints: [source('misy-widget.mts')], outfile: join(dist, 'misy-widget.mjs'), format: 'esm' }),
]);

// Only these two declarations are reachable from the public entry.
const types = await mkdtemp(join(tmpdir(), 'misy-types-'));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const declare = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', types, '--rootDir', join(root, 'src')];
execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), ...declare], { stdio: 'inherit' });
await Promise.all(['misy.d.ts', 'public.d.ts'].map((file) => copyFile(join(types, file), join(dist, file))));
await rm(types, { recursive: true });
