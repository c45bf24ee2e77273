import { clearTimeout, setTimeout } from './taken.js';

/** A tab that holds a lock for longer is asleep or broken; the others go on without it. */
const PATIENCE_MS = 10_000;

const tails = new Map<string, Promise<unknown>>();

/**
 * Runs one task at a time per name: over all tabs of the origin where the browser can, else within this page. Browsers that
 * block all site data refuse locks when they are asked for.
 */
export async function withLock<T>(name: string, task: () => Promise<T>): Promise<T> {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), PATIENCE_MS);
  let begun = false as boolean;
  try {
    return await lockOfOrigin(name, giveUp.signal, () => {
      clearTimeout(timer);
      begun = true;
      return task();
    });
  } catch (error) {
    if (begun) throw error;
  }
  clearTimeout(timer);
  const mine = (tails.get(name) ?? Promise.resolve()).then(task, task);
  tails.set(name, mine);
  return mine;
}

/** Runs a task while no other tab runs one of this name. Rejects when the browser has no such locks, or `signal` ends the wait. */
export const lockOfOrigin = async <T>(name: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> =>
  navigator.locks.request(name, { signal }, task);
