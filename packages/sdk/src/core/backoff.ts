import { clearTimeout, setTimeout } from './taken.js';

const LONGEST_MS = 30_000;

/** Milliseconds to wait before try number `failures` + 1: doubles from one second, half of it chance, so that clients spread. */
export function backoff(failures: number, chance = Math.random()): number {
  return Math.min(LONGEST_MS, 1000 * 2 ** Math.max(0, failures - 1)) * (0.5 + chance / 2);
}

/** Does it as often as it takes. `failed` may throw, which ends it. */
export async function atLast<T>(task: () => Promise<T>, failed?: (error: unknown, failures: number) => void): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await task();
    } catch (error) {
      failed?.(error, failures);
    }
    const pause = new Pause();
    addEventListener('online', () => pause.cut(), { once: true });
    await pause.wait(backoff(failures));
  }
}

/** A pause that can be ended early. */
export class Pause {
  private end: (() => void) | undefined;

  wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  cut(): void {
    this.end?.();
  }
}
