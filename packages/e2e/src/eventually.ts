import { setTimeout as pause } from 'node:timers/promises';

/** How long a condition may take to hold: long, since the machine may be compiling beside. What holds sooner is not waited for. */
export const PATIENCE_MS = 90_000;

/** Repeats `check` until it holds and answers what it answered; its last failure is the test's. */
export async function eventually<T>(check: () => Promise<T> | T, withinMs = PATIENCE_MS): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await pause(50);
    }
  }
}
