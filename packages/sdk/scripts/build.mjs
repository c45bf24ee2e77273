// Builds what the API server serves under /sdk/ and what the npm package holds. File names are stable.
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { OWN, withPrivateMembers } from './private-members.mjs';
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

const texts = withPrivateMembers(join(root, 'src'));
const privateMembers = {
  name: 'private-members',
  setup(bundler) {
    bundler.onLoad({ filter: /\/src\/.*\.m?ts$/ }, ({ path }) => (texts.has(path) ? { contents: texts.get(path), loader: 'ts' } : undefined));
  },
};

/** A field without a value needs no code. */
const PLAIN_FIELDS = { compilerOptions: { useDefineForClassFields: false } };

// Custom properties of the widget are seen by nobody but itself: they get short names, but for those that a style sheet reads with
// something in their place, since it may then find what the page calls so.
const sheets = await Promise.all((await readdir(join(root, 'src'), { recursive: true })).filter((name) => name.endsWith('.css')).map((name) => readFile(source(name), 'utf8')));
const properties = [...new Set(sheets.join().match(/(?<=var\()--[a-z-]+(?=\))/g))].sort();
const shortProperty = (name) => (properties.includes(name) ? `--${properties.indexOf(name).toString(36)}` : name);

const common = { bundle: true, minify: true, target: 'es2022', charset: 'utf8', plugins: [styleAsText, privateMembers], legalComments: 'none', tsconfigRaw: PLAIN_FIELDS, mangleProps: new RegExp(`${(await privateNames(join(root, 'src'))).source}|^${OWN}$`) };

// What comes in files of its own when it is needed, and what each offers to the core.
const PARTS = { live: 'LiveFeed, makeUp', widget: 'mountChat', rich: 'renderRich', files: 'Tray, goOnWithout', en: 'texts', es: 'texts', pt: 'texts', ar: 'texts' };

/** A part for pages with script tags: it leaves what it offers where the core looks for it. */
const leave = (part, offer) => ({
  contents: `import { ${offer} } from './misy-${part}.mjs'; window.misyParts.${part} = { ${offer} };`,
  resolveDir: join(root, 'src'),
});

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
const parts = Object.entries(PARTS);
// One after the other: parts call members of the core by the short names that the core was given.
let mangleCache = {};
for (const [file, options] of [
  ['misy.js', { entryPoints: [source('script.ts')] }],
  ...parts.map(([part, offer]) => [`misy-${part}.js`, { stdin: leave(part, offer) }]),
  ['misy.mjs', { entryPoints: [source('misy.ts')], external: parts.map(([part]) => `./misy-${part}.mjs`) }],
  ...parts.map(([part]) => [`misy-${part}.mjs`, { entryPoints: [source(`misy-${part}.mts`)] }]),
]) {
  const format = file.endsWith('.mjs') ? 'esm' : 'iife';
  const built = await build({ ...common, format, ...options, mangleCache, outfile: join(dist, file) });
  mangleCache = built.mangleCache;
  const path = join(dist, file);
  await writeFile(path, (await readFile(path, 'utf8')).replace(/(?<![\w$)\]])--[a-z][a-z-]+/g, shortProperty));
}

// Only these two declarations are reachable from the public entry.
const types = await mkdtemp(join(tmpdir(), 'misy-types-'));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const declare = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', types, '--rootDir', join(root, 'src')];
execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), ...declare], { stdio: 'inherit' });
await Promise.all(['misy.d.ts', 'public.d.ts'].map((file) => copyFile(join(types, file), join(dist, file))));
await rm(types, { recursive: true });
