// What the SDK needs of the page's globals, taken once when it is loaded. Pages replace them later: to watch requests, to
// fake the clock, to mend old browsers.
const { fetch: pageFetch, JSON: json } = globalThis;

export const fetch: typeof globalThis.fetch = pageFetch.bind(globalThis);
export const setTimeout = globalThis.setTimeout.bind(globalThis);
export const clearTimeout = globalThis.clearTimeout.bind(globalThis);
export const now = Date.now.bind(Date);
export const readJson = json.parse.bind(json) as (text: string) => unknown;
const write = json.stringify.bind(json);

/** The value as JSON. Old libraries give arrays a `toJSON` that writes them as text: it is set aside meanwhile. */
export function writeJson(value: unknown): string {
  const arrays = Array.prototype as { toJSON?: unknown };
  const { toJSON } = arrays;
  delete arrays.toJSON;
  try {
    return write(value);
  } finally {
    if (toJSON) arrays.toJSON = toJSON;
  }
}
