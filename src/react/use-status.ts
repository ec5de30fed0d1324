import { useSyncExternalStore } from 'react';
import { initialStatus, type Status } from '../client/status.ts';
import { useClient } from './provider.tsx';

/** What is true of the app's data right now: whether it is saved, how it is kept, and what is wrong. Never suspends. */
export function useStatus(): Status {
  const { status } = useClient();
  return useSyncExternalStore(status.subscribe, status.getState, () => initialStatus);
}
