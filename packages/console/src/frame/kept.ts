/**
 * What a person has begun to write or sent and does not know to have arrived: kept in the tab, so that a reload or a look elsewhere loses
 * none of it. It belongs to that person: whoever comes after them in the same tab finds none of it.
 */
const PREFIX = 'misy.kept.';

const keyOf = (userId: string, name: string): string => `${PREFIX}${userId}/${name}`;

/** Does something with what the tab keeps. A browser that keeps nothing has it stay as long as the page does. */
function withStorage<T>(act: (storage: Storage) => T): T | undefined {
  try {
    return act(sessionStorage);
  } catch {
    return undefined;
  }
}

export const readKept = (userId: string, name: string): string => withStorage((storage) => storage.getItem(keyOf(userId, name))) ?? '';

export function keep(userId: string, name: string, text: string): void {
  withStorage((storage) => (text === '' ? storage.removeItem(keyOf(userId, name)) : storage.setItem(keyOf(userId, name), text)));
}

/** The names under which a person keeps something. */
export const namesKept = (userId: string): string[] => keysOf(keyOf(userId, '')).map((key) => key.slice(keyOf(userId, '').length));

/** Forgets what anybody but this person has kept; without one, what everybody has. */
export function forgetOthers(userId?: string): void {
  const own = userId === undefined ? undefined : keyOf(userId, '');
  for (const key of keysOf(PREFIX)) {
    if (own === undefined || !key.startsWith(own)) withStorage((storage) => storage.removeItem(key));
  }
}

const keysOf = (prefix: string): string[] =>
  withStorage((storage) => Array.from({ length: storage.length }, (_, at) => storage.key(at) ?? '').filter((key) => key.startsWith(prefix))) ?? [];
