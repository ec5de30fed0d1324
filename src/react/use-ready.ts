import { useMemo, useSyncExternalStore } from 'react';
import type { Projection } from '../core/projection.ts';
import { useClient } from './provider.tsx';

/**
 * Whether the first rows of all these projections have arrived. Opens them, and never suspends or throws: for a page that
 * shows something of its own meanwhile. False on a server.
 *
 * ### Example
 * ```tsx
 * return useReady(Accounts, Payments) ? <Book /> : <Skeleton />;
 * ```
 */
export function useReady(...projections: readonly Projection[]): boolean {
  const client = useClient();
  // The array is a new one at each render, and its length may change: what it names stands for it.
  const names = projections.map(({ name }) => name).join(' ');
  // biome-ignore lint/correctness/useExhaustiveDependencies: `names` stands for `projections`
  const { subscribe, isReady } = useMemo(() => {
    const mirrors = () => projections.map((projection) => client.mirror(projection));
    return {
      subscribe: (listener: () => void) => {
        const unsubscribe = mirrors().map((mirror) => mirror.subscribe(listener));
        return () => unsubscribe.forEach((end) => void end());
      },
      isReady: () => mirrors().every(({ loaded }) => loaded),
    };
  }, [client, names]);
  return useSyncExternalStore(subscribe, isReady, isReadyOnServer);
}

const isReadyOnServer = () => false;
