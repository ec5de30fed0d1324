import { useCallback, useMemo } from 'react';
import type { Mirror } from '../client/mirror.ts';
import type { Projection, RowOf } from '../core/projection.ts';
import { type NoSuspense, useMirrored } from './use-mirrored.ts';

type Rows<P extends Projection> = ReadonlyMap<string, RowOf<P>>;

/**
 * The rows of a projection, or what `select` makes of them; renders again when that changes.
 *
 * Without `select`: a map that does not change, and a new one after each change of any row. With `select`: its result,
 * made anew only when rows or `select` change, so that an inline function that returns a new array does not loop.
 * `select` reads the rows and does not keep them.
 * Suspends until the first rows have arrived, and throws to the nearest error boundary where they cannot; with
 * `{ suspend: false }` it is undefined so long, and `useStatus` says what is wrong. A server renders it without rows.
 *
 * ### Example
 * ```tsx
 * const total = useProjection(Balances, (rows) => [...rows.values()].reduce((sum, row) => sum + row.balance, 0));
 * ```
 */
export function useProjection<P extends Projection>(projection: P): Rows<P>;
export function useProjection<P extends Projection, Selected>(
  projection: P,
  select: (rows: Rows<P>) => Selected,
): Selected;
export function useProjection<P extends Projection>(
  projection: P,
  select: undefined,
  options: NoSuspense,
): Rows<P> | undefined;
export function useProjection<P extends Projection, Selected>(
  projection: P,
  select: (rows: Rows<P>) => Selected,
  options: NoSuspense,
): Selected | undefined;
export function useProjection<P extends Projection, Selected>(
  projection: P,
  select?: (rows: Rows<P>) => Selected,
  options?: NoSuspense,
): Rows<P> | Selected | undefined {
  const suspends = options === undefined;
  const read = useMemo(() => (select === undefined ? copyRows : selectOnce(select)), [select]);
  const readEmpty = () => {
    if (!suspends) return undefined;
    return select === undefined ? noRows : select(noRows);
  };
  return useMirrored<P, Rows<P> | Selected, Rows<P> | Selected | undefined>(projection, read, readEmpty, suspends);
}

/**
 * One row of a projection, or undefined where there is none; renders again when this row changes, and only then.
 *
 * Suspends, or not, as `useProjection` does; with `{ suspend: false }`, `useReady` tells a row that is not there from
 * one that has not come yet.
 */
export function useRow<P extends Projection>(projection: P, key: string, options?: NoSuspense): RowOf<P> | undefined {
  const read = useCallback((mirror: Mirror<RowOf<P>>) => mirror.rows.get(key), [key]);
  return useMirrored(projection, read, () => undefined, options === undefined);
}

function copyRows<Row>(mirror: Mirror<Row>): ReadonlyMap<string, Row> {
  return mirror.copyRows();
}

/** React asks several times per render and compares by identity: the same rows give the same answer. */
function selectOnce<Row, Selected>(
  select: (rows: ReadonlyMap<string, Row>) => Selected,
): (mirror: Mirror<Row>) => Selected {
  let last: { readonly mirror: Mirror<Row>; readonly changeCount: number; readonly selected: Selected } | undefined;
  return (mirror) => {
    const { changeCount } = mirror;
    if (last?.mirror !== mirror || last.changeCount !== changeCount) {
      last = { mirror, changeCount, selected: select(mirror.rows) };
    }
    return last.selected;
  };
}

const noRows: ReadonlyMap<string, never> = new Map<string, never>();
