/** What a call is refused with. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    /** What was referred to and is not there, as JSON pointers. */
    readonly missing: string[] = [],
  ) {
    super(code);
  }
}
