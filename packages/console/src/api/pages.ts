import { type QueryKey, useInfiniteQuery } from '@tanstack/react-query';

interface Page<T> {
  items: T[];
  nextCursor?: string | null;
}

/** A list as far as it is loaded. */
export interface Pages<T> {
  items: readonly T[];
  isLoading: boolean;
  isLoadingMore: boolean;
  hasMore: boolean;
  error: unknown;
  more: () => void;
  again: () => void;
}

/** Reads a list page by page. */
export function usePages<T>(key: QueryKey, read: (cursor: { cursor?: string }, signal: AbortSignal) => Promise<Page<T>>, options: { enabled?: boolean; refetchInterval?: number } = {}): Pages<T> {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => read(pageParam === '' ? {} : { cursor: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    ...options,
  });
  return {
    items: query.data?.pages.flatMap(({ items }) => items) ?? [],
    isLoading: query.isPending && query.fetchStatus !== 'idle',
    isLoadingMore: query.isFetchingNextPage,
    hasMore: query.hasNextPage,
    error: query.error,
    more: () => void query.fetchNextPage(),
    again: () => void query.refetch(),
  };
}
