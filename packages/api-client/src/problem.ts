import type { Schemas } from './types.js';

/** The kind of a problem, for programs. */
export type ProblemCode = Schemas['ProblemCode'];

/** The API refused or failed (RFC 9457). `code` says why; `switch` over it, the compiler knows all of them. */
export class MisyProblem extends Error {
  override readonly name = 'MisyProblem';
  readonly code: ProblemCode;
  /** What happened, in a sentence of English. */
  readonly detail: string;
  /** HTTP status. */
  readonly status: number;
  /** To be quoted when asking for help. */
  readonly requestId: string;
  /** The mistakes in what was sent, each with a JSON pointer. */
  readonly errors: readonly Schemas['FieldError'][];
  /** The quota that is used up, of `quota_exceeded`. */
  readonly quota: Schemas['ExceededQuota'] | undefined;
  /** Times that are free instead, of `slot_taken` and `slot_refused`. */
  readonly alternatives: readonly Schemas['FreeTime'][];
  /** The server's time, of `timestamp_out_of_window`. */
  readonly serverTime: Date | undefined;
  /** Seconds until it is worth another try. */
  readonly retryAfter: number | undefined;

  constructor(body: Schemas['Problem'], retryAfter?: number) {
    super(`${body.code}: ${body.detail}`);
    this.code = body.code;
    this.detail = body.detail;
    this.status = body.status;
    this.requestId = body.requestId;
    this.errors = body.errors ?? [];
    this.quota = body.quota ?? undefined;
    this.alternatives = body.alternatives ?? [];
    this.serverTime = body.serverTime ? new Date(body.serverTime) : undefined;
    this.retryAfter = retryAfter;
  }

  /** Whether something that was caught is a problem of this kind. */
  static is(error: unknown, code: ProblemCode): error is MisyProblem {
    return error instanceof MisyProblem && error.code === code;
  }
}

/** What answered is not the API: a proxy, or another program. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';

  constructor(
    readonly status: number,
    readonly text: string,
  ) {
    super(`an answer with status ${status} that the API does not give`);
  }
}

function isProblem(body: unknown): body is Schemas['Problem'] {
  return typeof body === 'object' && body !== null && 'code' in body && 'requestId' in body && 'status' in body;
}

/** The error that an answer stands for. */
export async function problemOf(response: Response): Promise<MisyProblem | UnexpectedAnswer> {
  const text = await response.text();
  if (response.headers.get('content-type') === 'application/problem+json') {
    const body: unknown = JSON.parse(text);
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    if (isProblem(body)) return new MisyProblem(body, Number.isFinite(seconds) ? seconds : undefined);
  }
  return new UnexpectedAnswer(response.status, text);
}
