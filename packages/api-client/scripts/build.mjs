// Builds what the npm package holds: one module and its declarations.
import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
await rm(dist, { recursive: true, force: true });
await build({ entryPoints: [join(root, 'src/index.ts')], outfile: join(dist, 'index.mjs'), bundle: true, format: 'esm', target: 'es2022' });
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const declare = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', dist, '--rootDir', join(root, 'src')];
execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), ...declare], { stdio: 'inherit' });
