import { setTimeout as pause } from 'node:timers/promises';

/** Repeats `check` until it holds and answers what it answered; its last failure is the test's. */
export async function eventually<T>(check: () => Promise<T> | T, withinMs = 15_000): Promise<T> {
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
