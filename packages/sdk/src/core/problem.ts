import type { Schemas } from '@misy/api-client';
import { MisyError } from '../public.js';

/** Of what a proxy answers nothing needs to be there. */
type ProblemBody = Partial<Schemas['Problem']>;

/** The server's clock as milliseconds, from RFC 3339 or Unix seconds; undefined when it says neither. */
export function serverMilliseconds(time: string | number | null | undefined): number | undefined {
  return (typeof time === 'number' ? time * 1000 : Date.parse(time ?? '')) || undefined;
}

/** Makes a `MisyError` of an answer that is no success (RFC 9457, or whatever a proxy put in its place). */
export async function problemOf(response: Response): Promise<MisyError> {
  const body = (await response.json().catch(() => ({}))) as ProblemBody;
  return new MisyError(body.code ?? `http_${response.status}`, response.status, {
    message: body.detail ?? body.title,
    requestId: body.requestId,
    retryAfter: Number(response.headers.get('Retry-After')) || undefined,
    serverTime: serverMilliseconds(body.serverTime),
    missing: body.errors?.filter(({ code }) => code === 'reference').map(({ pointer }) => pointer),
  });
}

/** Whether the same request may succeed later: no answer, a busy server, or a limit that passes. */
export function isTransient(error: unknown): boolean {
  const status = (error as Partial<MisyError>).status ?? 0;
  return status === 0 || status >= 500 || [408, 425, 429].includes(status);
}
