// Which property names the build may shorten: those of members of the SDK's own classes, unless the browser, the language or
// something that leaves the page (the public API, what is sent, what is stored) has a property of that name too, or the code
// writes the name as a text. All that leaves the page is typed by an interface.
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const CLASS_MEMBER = /^ {2,4}(?:private |readonly |static |async |get |set )*(\w+)(?= ?[(:=;])/gm;
const INTERFACE = /^(?:export )?interface [^]*?^\}/gm;
const TEXT = /['"`](\w+)['"`]/g;
const MEMBER = /\b([A-Za-z_]\w*)\??(?=[:(<])/g;

const names = (text, pattern) => [...text.matchAll(pattern)].map(([, name]) => name);

async function filesBelow(folder, ending) {
  const entries = await readdir(folder, { recursive: true });
  return Promise.all(entries.filter((name) => ending.test(name)).map((name) => readFile(join(folder, name), 'utf8')));
}

/** A pattern for esbuild's `mangleProps`. `source`: the folder of the SDK's code. */
export async function privateNames(source) {
  const typescript = dirname(createRequire(import.meta.url).resolve('typescript'));
  const [own, language, api] = await Promise.all([
    filesBelow(source, /\.ts$/),
    filesBelow(typescript, /^lib\..*\.d\.ts$/),
    readFile(join(source, 'public.ts'), 'utf8'),
  ]);
  const interfaces = own.flatMap((text) => text.match(INTERFACE) ?? []);
  const foreign = new Set([
    ...[...language, ...interfaces].flatMap((text) => names(text, MEMBER)),
    ...own.flatMap((text) => names(text, TEXT)),
    ...api.match(/\w+/g),
  ]);
  const classes = own.filter((text) => /^(?:export )?class /m.test(text)).map((text) => text.replace(INTERFACE, ''));
  const safe = new Set(classes.flatMap((text) => names(text, CLASS_MEMBER)).filter((name) => !foreign.has(name)));
  return new RegExp(`^(${[...safe].join('|')})$`);
}
