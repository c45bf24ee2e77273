/**
 * Small key-value store of one page origin. IndexedDB, because it is the one place that keeps a CryptoKey without making
 * it readable. Where it is missing or fails (private windows, full disks) values live as long as the page.
 */
export class Store {
  private readonly mirror = new Map<string, unknown>();

  async read<T>(key: string): Promise<T | undefined> {
    return this.update<T>(key, (value) => value);
  }

  /** Replaces a value by what `change` makes of it, in one transaction that no other tab can step into. */
  async update<T>(key: string, change: (value: T | undefined) => T | undefined): Promise<T | undefined> {
    let result: T | undefined;
    try {
      result = await inTransaction(key, change);
    } catch {
      result = change(this.mirror.get(key) as T | undefined);
    }
    this.mirror.set(key, result);
    return result;
  }
}

// Opened for each use: a connection kept open breaks when a phone puts the browser to sleep.
function inTransaction<T>(key: string, change: (value: T | undefined) => T | undefined): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('misy', 1);
    const fail = (): void => reject(new Error('indexeddb'));
    opening.onupgradeneeded = () => opening.result.createObjectStore('state');
    opening.onerror = opening.onblocked = fail;
    opening.onsuccess = () => {
      const database = opening.result;
      let result: T | undefined;
      const close = (settle: () => void) => () => {
        database.close();
        settle();
      };
      try {
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
