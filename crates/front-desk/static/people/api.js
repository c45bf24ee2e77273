// Calls to the API with the browser's session.
const BASE = '/api/meta-agent';

let csrfToken;
let proveAgain;

/** A refusal of the API. */
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail ?? 'no answer');
    Object.assign(this, { status, code: body?.code, detail: body?.detail, errors: body?.errors });
  }
}

/** What to do when a call needs a fresh second factor: shows a dialog, and says whether it was proved. */
export function onStepUp(ask) {
  proveAgain = ask;
}

export async function call(method, path, body) {
  try {
    return await once(method, path, body);
  } catch (error) {
    if (error.code === 'step_up_required' && proveAgain && (await proveAgain())) return once(method, path, body);
    throw error;
  }
}

async function once(method, path, body) {
  const headers = {};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (csrfToken && method !== 'GET') headers['X-Misy-Csrf'] = csrfToken;
  const response = await fetch(BASE + path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: 'same-origin',
    cache: 'no-store',
  });
  const text = await response.text();
  let answer;
  try {
    answer = text ? JSON.parse(text) : undefined;
  } catch {
    throw new Problem(response.status, undefined);
  }
  if (!response.ok) throw new Problem(response.status, answer);
  if (answer?.csrfToken) csrfToken = answer.csrfToken;
  return answer;
}

export const get = (path) => call('GET', path);
export const post = (path, body) => call('POST', path, body);

/** The token behind the # of the address, which browsers send to nobody; taken out of the history at once. */
export function fragment() {
  const values = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(undefined, '', location.pathname + location.search);
  return values;
}

/** Where to go after a sign-in: a page of this installation, never a call of its API. */
export function returnPath(path) {
  const target = new URL(path ?? '/account', location.origin);
  const isPage = /^\/(account|console)(\/|$)/.test(target.pathname);
  return path?.startsWith('/') && target.origin === location.origin && isPage ? target.href : '/account';
}
