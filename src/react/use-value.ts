import { useCallback } from 'react';
import type { Mirror } from '../client/mirror.ts';
import { type RowOf, type ValueProjection, valueKey } from '../core/projection.ts';
import { type NoSuspense, useMirrored } from './use-mirrored.ts';

/**
 * The value of a projection that is one; its initial one before the first event. Renders again when it changes.
 *
 * Suspends, or not, as `useProjection` does.
 *
 * ### Example
 * ```tsx
 * const { sum } = useValue(Turnover);
 * ```
 */
export function useValue<P extends ValueProjection>(projection: P): RowOf<P>;
export function useValue<P extends ValueProjection>(projection: P, options: NoSuspense): RowOf<P> | undefined;
export function useValue<P extends ValueProjection>(projection: P, options?: NoSuspense): RowOf<P> | undefined {
  // Of the projection's own type: `defineValue` took it.
  const initial = projection.initialValue as RowOf<P>;
  const read = useCallback((mirror: Mirror<RowOf<P>>) => mirror.rows.get(valueKey) ?? initial, [initial]);
  return useMirrored(projection, read, () => (options === undefined ? initial : undefined), options === undefined);
}
