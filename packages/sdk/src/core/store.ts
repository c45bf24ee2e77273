import { clearTimeout, setTimeout } from './taken.js';

/** Some browsers open IndexedDB and never answer. */
const PATIENCE_MS = 1500;

/**
 * Small key-value store of one page origin. IndexedDB, because it is the one place that keeps a CryptoKey without making
 * it readable. Where it is missing, fails (private windows, full disks) or does not answer, values live as long as the page.
 */
export class Store {
  private silent = false;
  private readonly mirror = new Map<string, unknown>();

  async read<T>(key: string): Promise<T | undefined> {
    return this.update<T>(key, (value) => value);
  }

  /** Replaces a value by what `change` makes of it, in one transaction that no other tab can step into. */
  async update<T>(key: string, change: (value: T | undefined) => T | undefined): Promise<T | undefined> {
    let result: T | undefined;
    try {
      if (this.silent) throw new Error('indexeddb');
      result = await inTransaction(key, change, () => (this.silent = true));
    } catch {
      result = change(this.mirror.get(key) as T | undefined);
    }
    this.mirror.set(key, result);
    return result;
  }
}

// Opened for each use: a connection kept open breaks when a phone puts the browser to sleep.
function inTransaction<T>(
  key: string,
  change: (value: T | undefined) => T | undefined,
  silent: () => void,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      silent();
      fail();
    }, PATIENCE_MS);
    const fail = (): void => {
      clearTimeout(timer);
      reject(new Error('indexeddb'));
    };
    const opening = indexedDB.open('misy', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('state');
    opening.onerror = opening.onblocked = fail;
    opening.onsuccess = () => {
      const database = opening.result;
      let result: T | undefined;
      const close = (settle: () => void) => () => {
        clearTimeout(timer);
        database.close();
        settle();
      };
      try {
        if (late) throw new Error();
        const transaction = database.transaction('state', 'readwrite');
        const state = transaction.objectStore('state');
        const reading = state.get(key) as IDBRequest<T | undefined>;
        reading.onsuccess = () => {
          result = change(reading.result);
          if (result === undefined) state.delete(key);
          else if (result !== reading.result) state.put(result, key);
        };
        transaction.oncomplete = close(() => resolve(result));
        transaction.onabort = transaction.onerror = close(fail);
      } catch {
        close(fail)();
      }
    };
  });
}
