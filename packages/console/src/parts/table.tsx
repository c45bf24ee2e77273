import type { Key, ReactNode } from 'react';
import { useTexts } from '../words/words.js';
import { Button, Problem, Skeleton } from './basics.js';
import type { Pages } from '../api/pages.js';
import { common } from './texts.js';

export interface Column<T> {
  name: string;
  cell: (item: T) => ReactNode;
  /** Not shown where there is little room. */
  minor?: boolean;
  /** Room enough for its content and no more. */
  tight?: boolean;
}

interface TableProps<T> {
  label: string;
  items: readonly T[];
  keyOf: (item: T) => Key;
  columns: readonly Column<T>[];
  /** What can be done with one of them. */
  actions?: ((item: T) => ReactNode) | undefined;
}

/** Rows with named columns; on a narrow screen each row is a small card. */
export function Table<T>({ label, items, keyOf, columns, actions }: TableProps<T>): ReactNode {
  return (
    <div className="table-box">
      <table aria-label={label}>
        <thead>
          <tr>
            {columns.map(({ name, tight, minor }) => (
              <th key={name} scope="col" className={[tight && 'tight', minor && 'minor'].filter(Boolean).join(' ') || undefined}>
                {name}
              </th>
            ))}
            {actions && <td className="tight" />}
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={keyOf(item)}>
              {columns.map(({ name, cell, minor, tight }) => (
                <td key={name} data-name={name} className={[tight && 'tight', minor && 'minor'].filter(Boolean).join(' ') || undefined}>
                  {cell(item)}
                </td>
              ))}
              {actions && <td className="row-actions">{actions(item)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A list that comes page by page: while it loads, when it fails, when there is nothing, and the rest on demand. */
export function Listed<T>({ pages, empty, ...table }: Omit<TableProps<T>, 'items'> & { pages: Pages<T>; empty: ReactNode }): ReactNode {
  const say = useTexts(common);
  if (pages.isLoading) return <Skeleton lines={4} />;
  if (pages.error && pages.items.length === 0) return <Problem error={pages.error} again={pages.again} />;
  if (pages.items.length === 0 && !pages.hasMore) return empty;
  return (
    <>
      <Table {...table} items={pages.items} />
      {pages.error && <Problem error={pages.error} again={pages.again} />}
      {pages.hasMore && (
        <div className="more">
          <Button onClick={pages.more} busy={pages.isLoadingMore}>
            {say('more')}
          </Button>
        </div>
      )}
    </>
  );
}
