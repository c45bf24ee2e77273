const tails = new Map<string, Promise<unknown>>();

/** Runs one task at a time per name: over all tabs of the origin where the browser can, else within this page. */
export async function withLock<T>(name: string, task: () => Promise<T>): Promise<T> {
  const locks = (navigator as Partial<Navigator>).locks;
  if (locks) return locks.request(name, task);
  const mine = (tails.get(name) ?? Promise.resolve()).then(task, task);
  tails.set(name, mine);
  return mine;
}
