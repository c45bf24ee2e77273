import { MisyClient, type MisyProblem, type ProblemCode, type Schemas, session } from '@misy/api-client';
import { forgetOthers } from '../frame/kept.js';
import { ask } from './asking.js';

let csrfToken = '';
/** Who this page was made for. */
let userId: string | undefined;

/** The API, called by whoever is signed in in this browser. */
export const api = new MisyClient({ origin: location.origin, proof: session(() => csrfToken), fetch: send });

/** Who is signed in; every call that changes something proves with its token that it comes from this page. */
export async function readMe(): Promise<Schemas['SignedIn']> {
  const me = await api.call('readMe');
  csrfToken = me.csrfToken;
  userId = me.user.userId;
  forgetOthers(userId);
  return me;
}

/** A session that is over, whatever the reason. */
const SIGNED_OUT: readonly ProblemCode[] = ['session_missing', 'session_expired', 'session_invalid'];

export const isSignedOut = (problem: MisyProblem): boolean => SIGNED_OUT.includes(problem.code);

/**
 * Sends a request. If it is refused for want of something that the person in front can give (a fresh second factor, a reason, a
 * sign-in), asks them for it and sends the same request again. Nothing that they typed is lost.
 */
async function send(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(input, { ...init, credentials: 'same-origin', cache: 'no-store' });
  if (response.ok) return response;
  const body: unknown = await response.clone().json().catch(() => undefined);
  const code = typeof body === 'object' && body !== null && 'code' in body ? body.code : undefined;
  const headers = new Headers(init.headers);
  if (code === 'step_up_required') {
    const proved = await ask('second-factor');
    if (proved === undefined) return response;
    csrfToken = proved;
  } else if (code === 'reason_required' && !headers.has('x-misy-reason')) {
    const reason = await ask('reason');
    if (reason === undefined) return response;
    headers.set('x-misy-reason', encodeURIComponent(reason));
  } else if (code === 'csrf_refused') {
    const proved = await provedAnew(headers.get('x-misy-csrf'));
    if (proved === undefined) return response;
    csrfToken = proved;
  } else if (SIGNED_OUT.some((known) => known === code) && csrfToken !== '' && !isAboutMe(input)) {
    if ((await ask('sign-in')) === undefined) return response;
  } else {
    return response;
  }
  if (headers.has('x-misy-csrf')) headers.set('x-misy-csrf', csrfToken);
  return send(input, { ...init, headers });
}

/**
 * The token that proves now that a call comes from this page: proving a second factor in another tab changes it for all. Nothing
 * where it is the one that was refused, or where somebody else has signed in meanwhile.
 */
async function provedAnew(refused: string | null): Promise<string | undefined> {
  const me = await new MisyClient({ origin: location.origin }).call('readMe').catch(() => undefined);
  const isSame = me !== undefined && me.csrfToken !== refused && (userId ?? me.user.userId) === me.user.userId;
  return isSame ? me.csrfToken : undefined;
}

function isAboutMe(input: RequestInfo | URL): boolean {
  const address = input instanceof Request ? input.url : String(input);
  return new URL(address, location.origin).pathname.startsWith('/api/meta-agent/auth/');
}
