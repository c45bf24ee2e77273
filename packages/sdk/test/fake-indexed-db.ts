/** What is changed in a transaction, and in which state that is. */
interface Transaction {
  db: { close(): void };
  oncomplete?: () => void;
  onabort?: () => void;
  objectStore(): unknown;
  abort(): void;
}

/** An IndexedDB with one store that answers when the test lets it. */
export class FakeIndexedDb {
  readonly values = new Map<string, unknown>();
  /** What each step waits for. */
  gate: Promise<void> = Promise.resolve();
  /** One transaction after the other. */
  private last: Promise<void> = Promise.resolve();

  /** From now on nothing is answered, until the function is called that this answers. */
  stall(): () => void {
    let release = (): void => undefined;
    this.gate = new Promise((resolve) => (release = resolve));
    return release;
  }

  open(): object {
    const database = { close: () => undefined, transaction: () => this.transaction(database) };
    const opening: { onsuccess?: () => void; result?: object } = { result: database };
    void this.gate.then(() => opening.onsuccess?.());
    return opening;
  }

  private transaction(db: { close(): void }): Transaction {
    let state: 'open' | 'aborted' | 'written' = 'open';
    const changes: (() => void)[] = [];
    const transaction: Transaction = {
      db,
      objectStore: () => ({
        get: (key: string) => {
          const reading: { onsuccess?: () => void; result?: unknown } = {};
          this.last = this.last.then(async () => {
            await this.gate;
            if (state === 'aborted') return;
            reading.result = this.values.get(key);
            reading.onsuccess?.();
            await this.gate;
            // What is given up while it is under way leaves nothing behind.
            if ((state as string) === 'aborted') return;
            state = 'written';
            changes.forEach((change) => change());
            transaction.oncomplete?.();
          });
          return reading;
        },
        put: (value: unknown, key: string) => changes.push(() => this.values.set(key, structuredClone(value))),
        delete: (key: string) => changes.push(() => this.values.delete(key)),
      }),
      abort: () => {
        if (state === 'written') throw new DOMException('done', 'InvalidStateError');
        state = 'aborted';
        transaction.onabort?.();
      },
    };
    return transaction;
  }
}
