import { useSyncExternalStore } from 'react';
import type { LedgerHooks } from './contestant.ts';
import type { LedgerState } from './ledger-state.ts';

/** What a hand-written page keeps for its view. */
export interface LedgerViewStore {
  readonly hooks: LedgerHooks;
  readonly balances: () => ReadonlyMap<string, number>;
  /** Shows this state; called again after every change of it, also where it was changed in place. */
  show(state: LedgerState): void;
}

export function createLedgerViewStore(): LedgerViewStore {
  const listeners = new Set<() => void>();
  let state: LedgerState | undefined;
  let total: number | undefined;
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return {
    hooks: {
      useTotal: () => useSyncExternalStore(subscribe, () => total),
      useBalance: (account) => useSyncExternalStore(subscribe, () => state?.balances.get(account)),
      useNewest: () => useSyncExternalStore(subscribe, () => state?.newest),
    },
    balances: () => state?.balances ?? new Map(),
    show: (shown) => {
      state = shown;
      total = 0;
      for (const balance of shown.balances.values()) total += balance;
      for (const listener of listeners) listener();
    },
  };
}
