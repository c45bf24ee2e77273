/** What a person is asked for when a call needs it. */
export type Question = 'second-factor' | 'reason' | 'sign-in';

interface Asked {
  question: Question;
  answer: (value: string | undefined) => void;
}

let asked: Asked | undefined;
/** One question after the other. */
let last: Promise<unknown> = Promise.resolve();
const waiting = new Map<Question, Promise<string | undefined>>();
const listeners = new Set<() => void>();

function show(next: Asked | undefined): void {
  asked = next;
  for (const listener of listeners) listener();
}

/** Asks; `undefined` when the person would rather not. Calls that need the same are answered together. */
export function ask(question: Question): Promise<string | undefined> {
  const known = waiting.get(question);
  if (known) return known;
  const answered = last.then(() => new Promise<string | undefined>((answer) => show({ question, answer })));
  const settled = answered.then((value) => {
    waiting.delete(question);
    show(undefined);
    return value;
  });
  waiting.set(question, settled);
  last = settled;
  return settled;
}

/** For the one place that shows questions. */
export const questions = {
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  now: (): Asked | undefined => asked,
};
