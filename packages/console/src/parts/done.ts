import { type QueryKey, useQueryClient } from '@tanstack/react-query';
import { useToasts } from './toasts.js';

/** Tells that something was done, reads anew what it changed, and takes it back if the person wants that. */
export function useDone(): (text: string, changed: readonly QueryKey[], undo?: () => Promise<unknown>) => void {
  const queries = useQueryClient();
  const toasts = useToasts();
  return (text, changed, undo) => {
    const readAnew = (): void => {
      for (const queryKey of changed) void queries.invalidateQueries({ queryKey });
    };
    readAnew();
    toasts.done(text, undo && (() => void undo().then(readAnew, toasts.failed)));
  };
}
