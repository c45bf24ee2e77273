// Which property names the build may shorten: those of members of the SDK's own classes and of what the widget hands around, unless the browser, the language or
// something that leaves the page (the public API, what is sent, what is stored) has a property of that name too, or the code
// writes the name as a text. All that leaves the page is typed by an interface.
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const CLASS_MEMBER = /^ {2,4}(?:private |readonly |static |async |get |set )*(\w+)(?= ?[(:=;])/gm;
const FIELD = /^ {2}(?:readonly )?(\w+)\??(?=[:(])/gm;
const INTERFACE = /^(?:export )?interface [^]*?^\}/gm;
const TEXT = /['"`](\w+)['"`]/g;
const MEMBER = /\b([A-Za-z_]\w*)\??(?=[:(<])/g;
/** A member in a declaration of the language's: those stand at the beginning of a line, unlike names of parameters. */
const DECLARED = /^ *(?:declare |var |function |readonly |get |set |static )*([A-Za-z_]\w*)\??(?=[:(<])/gm;
/** What an element is called for style sheets is no name of a member. */
const CLASS = /\bclass: (['"`])[^'"`]*\1/g;

const names = (text, pattern) => [...text.matchAll(pattern)].map(([, name]) => name);

async function filesBelow(folder, ...patterns) {
  const entries = await readdir(folder, { recursive: true });
  return Promise.all(entries.filter((name) => patterns.every((pattern) => pattern.test(name))).map((name) => readFile(join(folder, name), 'utf8')));
}

const COMMENT = /\/\*[^]*?\*\/|\/\/.*/g;
/** The widget and what is loaded into it: what they hand to each other has names of their own. */
const WITHIN = /^(?:widget|rich|files)\//;

/** A pattern for esbuild's `mangleProps`. `source`: the folder of the SDK's code. */
export async function privateNames(source) {
  const typescript = dirname(createRequire(import.meta.url).resolve('typescript'));
  const [own, within, language, api] = await Promise.all([
    filesBelow(source, /\.ts$/),
    filesBelow(source, WITHIN, /\.ts$/),
    filesBelow(typescript, /^lib\.(?!webworker|scripthost).*\.d\.ts$/),
    readFile(join(source, 'public.ts'), 'utf8'),
  ]);
  const interfacesOf = (texts) => texts.flatMap((text) => text.match(INTERFACE) ?? []);
  const inner = interfacesOf(within).flatMap((text) => names(text, FIELD));
  const foreign = new Set([
    ...language.flatMap((text) => names(text, DECLARED)),
    ...interfacesOf(own.filter((text) => !within.includes(text))).flatMap((text) => names(text, MEMBER)),
    ...own.flatMap((text) => names(text.replace(CLASS, ''), TEXT)),
    ...api.replace(COMMENT, '').match(/\w+/g),
  ]);
  const classes = own.filter((text) => /^(?:export )?class /m.test(text)).map((text) => text.replace(INTERFACE, ''));
  const members = classes.flatMap((text) => names(text, CLASS_MEMBER));
  const safe = new Set([...members, ...inner].filter((name) => !foreign.has(name)));
  return new RegExp(`^(${[...safe].join('|')})$`);
}
