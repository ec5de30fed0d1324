import { useCallback, useEffect, useSyncExternalStore } from 'react';
import type { CommandState } from '../core/receipt.ts';
import { askUntilAnswered } from './ask-until-answered.ts';
import { useClient } from './provider.tsx';

/**
 * What became of a command: it is on its way, its receipt, or undefined where nobody knows of it (yet).
 *
 * Of a command of an earlier visit or of another tab the log is asked once: it knows what was saved. See
 * `Client.receipts`. Never suspends.
 *
 * ### Example
 * ```tsx
 * const payment = useReceipt(paymentId);
 * return payment?.status === 'saved' ? 'Paid' : 'Open';
 * ```
 */
export function useReceipt(commandId: string): CommandState | undefined {
  const { receipts } = useClient();
  const subscribe = useCallback(
    (listener: () => void) => receipts.subscribe(commandId, listener),
    [receipts, commandId],
  );
  const receipt = useSyncExternalStore(
    subscribe,
    () => receipts.get(commandId),
    () => undefined,
  );
  useEffect(() => askUntilAnswered(() => receipts.find(commandId)), [receipts, commandId]);
  return receipt;
}
