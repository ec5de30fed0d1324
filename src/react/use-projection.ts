import { useCallback, useRef, useSyncExternalStore } from 'react';
import type { Mirror } from '../client/mirror.ts';
import type { Projection, RowOf } from '../core/projection.ts';
import { useClient, useLoaded } from './provider.tsx';

type Rows<P extends Projection> = ReadonlyMap<string, RowOf<P>>;

/**
 * The rows of a projection, or what `select` makes of them; renders again when that changes.
 *
 * Without `select`: a map that does not change, and a new one after each change of any row. With `select`: its result,
 * made anew only when rows or `select` change, so that an inline function that returns a new array does not loop.
 * `select` reads the rows and does not keep them. Suspends until the first rows have arrived.
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
export function useProjection<P extends Projection, Selected>(
  projection: P,
  select?: (rows: Rows<P>) => Selected,
): Rows<P> | Selected {
  const mirror = useMirror(projection);
  const memo = useRef<Selection<P, Selected>>(undefined);
  return useSyncExternalStore(
    mirror.subscribe,
    () => (select === undefined ? mirror.copyRows() : selectOnce(memo, mirror, select)),
    () => (select === undefined ? noRows : select(noRows)),
  );
}

/** One row of a projection, or undefined where there is none; renders again when this row changes, and only then. */
export function useRow<P extends Projection>(projection: P, key: string): RowOf<P> | undefined {
  const mirror = useMirror(projection);
  const getRow = useCallback(() => mirror.rows.get(key), [mirror, key]);
  return useSyncExternalStore(mirror.subscribe, getRow, () => undefined);
}

interface Selection<P extends Projection, Selected> {
  readonly mirror: Mirror<RowOf<P>>;
  readonly changeCount: number;
  readonly select: (rows: Rows<P>) => Selected;
  readonly selected: Selected;
}

/** React asks several times per render and compares by identity: the same rows and the same `select` give the same answer. */
function selectOnce<P extends Projection, Selected>(
  memo: { current: Selection<P, Selected> | undefined },
  mirror: Mirror<RowOf<P>>,
  select: (rows: Rows<P>) => Selected,
): Selected {
  const { changeCount } = mirror;
  const last = memo.current;
  if (last?.mirror === mirror && last.changeCount === changeCount && last.select === select) return last.selected;
  const selected = select(mirror.rows);
  memo.current = { mirror, changeCount, select, selected };
  return selected;
}

const noRows: ReadonlyMap<string, never> = new Map<string, never>();

function useMirror<P extends Projection>(projection: P): Mirror<RowOf<P>> {
  return useLoaded(useClient().mirror(projection));
}
