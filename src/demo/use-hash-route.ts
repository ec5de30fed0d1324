import { useSyncExternalStore } from 'react';

/** What stands behind `#` in the address: `/`, `/account/42`. A server is never told of it, and renders `/`. */
export function useHashRoute(): string {
  return useSyncExternalStore(
    subscribe,
    () => location.hash.slice(1) || '/',
    () => '/',
  );
}

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}
