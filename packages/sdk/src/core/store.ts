import { atLast, Pause } from './backoff.js';
import type { Change, Missed } from './made-up-for.js';
import type { Load } from './parts.js';
import { clearTimeout, setTimeout } from './taken.js';

/** Some browsers open IndexedDB and never answer. */
const PATIENCE_MS = 4000;
/** For what the page holds anyway. */
const LITTLE_PATIENCE_MS = 1500;

/**
 * Small key-value store of one page origin. IndexedDB, because it is the one place that keeps a CryptoKey without making
 * it readable. Where there is none, values live as long as the page. Where it fails (a full disk) or does not answer, they do
 * until it does: what was changed meanwhile is then changed there.
 */
export class Store {
  private silent = false;
  private readonly mirror = new Map<string, unknown>();
  private missed: Missed | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly load: Load) {}

  async read<T>(key: string): Promise<T | undefined> {
    return this.update<T>(key, (value) => value);
  }

  /** Replaces a value by what `change` makes of it, in one transaction that no other tab can step into. */
  update<T>(key: string, change: Change<T>): Promise<T | undefined> {
    // One after the other: none that still waits is overtaken by one that no longer does.
    const go = (): Promise<unknown> => this.change(key, change as Change<unknown>);
    const updated = this.last.then(go, go);
    this.last = updated;
    return updated as Promise<T | undefined>;
  }

  private async change(key: string, change: Change<unknown>): Promise<unknown> {
    const { mirror } = this;
    if (!this.silent) {
      try {
        const done = await inTransaction(key, change, mirror.has(key) ? LITTLE_PATIENCE_MS : PATIENCE_MS);
        if (done) {
          mirror.set(key, done.value);
          return done.value;
        }
        this.missed = new Map();
        void this.comeBack(this.missed);
      } catch {
        // There is none: the page is all there is.
      }
      this.silent = true;
    }
    const { missed } = this;
    const before = mirror.get(key);
    const value = change(before);
    mirror.set(key, value);
    if (missed && (value !== before || !missed.has(key))) missed.set(key, [...(missed.get(key) ?? []), change]);
    return value;
  }

  private async comeBack(missed: Missed): Promise<void> {
    const { makeUp } = await atLast(() => this.load('live'));
    const done = (): void => void (this.silent = false);
    await makeUp(new Pause(), missed, this.mirror, (key, change) => inTransaction(key, change, PATIENCE_MS), done);
  }
}

/** What a value has become; nothing if IndexedDB does not do it now, which it then never does. Rejects where there is none. */
function inTransaction<T>(key: string, change: Change<T>, patience: number): Promise<{ value: T | undefined } | undefined> {
  return new Promise((resolve) => {
    // Opened for each use: a connection kept open breaks when a phone puts the browser to sleep.
    const opening = indexedDB.open('misy', 1);
    let transaction: IDBTransaction | undefined;
    let isOver = false;
    let value: T | undefined;
    const end = (isDone?: boolean): void => {
      isOver = true;
      clearTimeout(timer);
      transaction?.db.close();
      resolve(isDone ? { value } : undefined);
    };
    const giveUp = (): void => {
      try {
        transaction?.abort();
        end();
      } catch {
        // It is being written already, and nothing can stop it.
        end(true);
      }
    };
    // In two halves: a page that is busy for longer than one of them has not waited for the other.
    let timer = setTimeout(() => (timer = setTimeout(giveUp, patience / 2)), patience / 2);
    opening.onupgradeneeded = () => opening.result.createObjectStore('state');
    opening.onerror = opening.onblocked = () => end();
    opening.onsuccess = () => {
      const database = opening.result;
      try {
        if (isOver) throw new Error();
        transaction = database.transaction('state', 'readwrite');
        const state = transaction.objectStore('state');
        const reading = state.get(key) as IDBRequest<T | undefined>;
        reading.onsuccess = () => {
          value = change(reading.result);
          if (value === undefined) state.delete(key);
          else if (value !== reading.result) state.put(value, key);
        };
        transaction.oncomplete = () => end(true);
        transaction.onabort = transaction.onerror = () => end();
      } catch {
        database.close();
        end();
      }
    };
  });
}
