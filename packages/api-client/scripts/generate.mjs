// Writes src/generated from docs/openapi.json: the types of all operations, and where each is served.
//   node scripts/generate.mjs [--check]
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';
import ts from 'typescript';

const description = new URL('../../../docs/openapi.json', import.meta.url);
const generated = new URL('../src/generated/', import.meta.url);
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const HEAD = '// Made from docs/openapi.json by `npm run api-client`. Changes here are lost.\n\n';

/** Operations and schemas. What stands by path says the same once more. */
async function types() {
  const nodes = await openapiTS(description, {
    // A text in base64 or an object of which nothing is said stay what they are in JSON.
    transform: (schema) =>
      schema.type === 'object' && !schema.properties && !schema.additionalProperties
        ? ts.factory.createTypeReferenceNode('Record<string, unknown>')
        : undefined,
  });
  const wanted = nodes.filter((node) => ['components', 'operations'].includes(node.name?.text));
  return HEAD + astToString(wanted);
}

/** Method and path of each operation: all that a client must know beside its types. */
function table(document) {
  const lines = Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => {
      const { operationId } = item[method];
      return `  ${operationId}: ['${method.toUpperCase()}', '${path}'],`;
    }),
  );
  return [
    HEAD + "import type { operations } from './schema.js';",
    '',
    '/** Method and path of each operation. */',
    'export const OPERATIONS = {',
    ...lines.sort(),
    '} as const satisfies Record<keyof operations, readonly [string, string]>;',
    '',
  ].join('\n');
}

const files = {
  'schema.ts': await types(),
  'operations.ts': table(JSON.parse(await readFile(description, 'utf8'))),
};
for (const [name, text] of Object.entries(files)) {
  const file = new URL(name, generated);
  if (!process.argv.includes('--check')) await writeFile(file, text);
  else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    console.error(`${file.pathname} differs from docs/openapi.json: run \`npm run api-client\``);
    process.exitCode = 1;
  }
}
