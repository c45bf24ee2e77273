import type { Pause } from './backoff.js';

export type Change<T> = (value: T | undefined) => T | undefined;

/** By key: what was done to the mirror only. It can be done again, to what other tabs have made of the value. */
export type Missed = Map<string, Change<unknown>[]>;

type InTransaction = (key: string, change: Change<unknown>) => Promise<{ value: unknown } | undefined>;

const FIRST_WAIT_MS = 4000;

/**
 * Makes up in the storage for what was missed while it did not answer. Tries from time to time, for as long as it takes.
 * `done` is called in the moment in which nothing is missed any more: what is changed after that goes to the storage again.
 */
export async function makeUp(pause: Pause, missed: Missed, mirror: Map<string, unknown>, inTransaction: InTransaction, done: () => void): Promise<void> {
  const all = (changes: Change<unknown>[], value: unknown): unknown => changes.reduce((made, change) => change(made), value);
  for (let wait = FIRST_WAIT_MS; ; wait *= 2) {
    await pause.wait(wait);
    for (const [key, changes] of missed) {
      const stored = await inTransaction(key, (value) => all(changes, value)).catch(() => undefined);
      if (!stored) continue;
      const since = missed.get(key)?.slice(changes.length) ?? [];
      mirror.set(key, all(since, stored.value));
      if (since.length) missed.set(key, since);
      else missed.delete(key);
    }
    if (missed.size) continue;
    done();
    return;
  }
}
