// Shows /openapi.json to a reader. Everything is put in as text, nothing as markup.
const main = document.getElementById('main');

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function typeOf(schema, depth = 0) {
  if (!schema) return '';
  if (schema.$ref) return schema.$ref.split('/').pop();
  const any = schema.oneOf ?? schema.anyOf ?? schema.allOf;
  if (any) return any.map((one) => typeOf(one, depth)).join(' | ');
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(' | ');
  const types = [schema.type].flat().filter(Boolean);
  if (types.includes('array')) return `${typeOf(schema.items, depth + 1)}[]`;
  return types.join(' | ') + (schema.format ? ` (${schema.format})` : '');
}

function table(head, rows) {
  const made = element('table');
  const first = element('tr');
  head.forEach((text) => first.append(element('th', text)));
  made.append(first);
  for (const row of rows) {
    const line = element('tr');
    row.forEach((text) => line.append(element('td', text ?? '')));
    made.append(line);
  }
  return made;
}

function operationOf(method, path, operation) {
  const details = element('details');
  details.id = operation.operationId;
  const summary = element('summary');
  summary.append(element('span', method.toUpperCase(), 'method'), element('code', path), ' ');
  summary.append(element('span', operation.summary ?? '', 'quiet'));
  const body = element('div');
  if (operation.description) body.append(element('p', operation.description));
  const schemes = (operation.security ?? []).map((one) => Object.keys(one).join(' + ') || 'nothing');
  body.append(element('p', `Proof: ${schemes.join(', or ') || 'nothing'}`, 'quiet'));
  if (operation.parameters?.length) {
    body.append(element('h3', 'Parameters'));
    const rows = operation.parameters.map((one) => [one.name, one.in, typeOf(one.schema), one.description]);
    body.append(table(['name', 'in', 'type', ''], rows));
  }
  for (const [media, content] of Object.entries(operation.requestBody?.content ?? {})) {
    body.append(element('h3', `Body: ${media} ${typeOf(content.schema)}`));
    if (content.example) body.append(element('pre', JSON.stringify(content.example, undefined, 2)));
  }
  body.append(element('h3', 'Answers'));
  const answers = Object.entries(operation.responses).map(([status, one]) => {
    const answer = one.$ref ? document_.components.responses[one.$ref.split('/').pop()] : one;
    const types = Object.values(answer.content ?? {}).map((content) => typeOf(content.schema));
    return [status, types.join(', '), answer.description];
  });
  body.append(table(['status', 'body', ''], answers));
  details.append(summary, body);
  return details;
}

function schemaOf(name, schema) {
  const details = element('details');
  details.append(element('summary', name));
  const body = element('div');
  for (const line of (schema.description ?? '').split('\n').filter(Boolean)) body.append(element('p', line));
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([field, one]) => [
    field + (required.has(field) ? '' : ' ?'), typeOf(one), one.description,
  ]);
  if (rows.length) body.append(table(['field', 'type', ''], rows));
  else body.append(element('p', typeOf(schema)));
  details.append(body);
  return details;
}

const document_ = await (await fetch('/openapi.json')).json();
main.replaceChildren(element('h1', `${document_.info.title} API`));
for (const paragraph of document_.info.description.split('\n\n')) main.append(element('p', paragraph));
for (const tag of document_.tags ?? []) {
  main.append(element('h2', `${tag.name}: ${tag.description}`));
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (operation.tags?.includes(tag.name)) main.append(operationOf(method, path, operation));
    }
  }
}
main.append(element('h2', 'Shapes'));
for (const [name, schema] of Object.entries(document_.components.schemas)) main.append(schemaOf(name, schema));
