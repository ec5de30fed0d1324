import { useCallback } from 'react';
import type { ExecuteOptions } from '../client/client.ts';
import type { Aggregate, CommandInput, CommandName, CommandRejection } from '../core/aggregate.ts';
import type { Receipt } from '../core/receipt.ts';
import { useClient } from './provider.tsx';

/**
 * A function that sends one command of an aggregate; the same one at every render.
 *
 * Resolves when the events are on disk and this page shows them, or with the rejection or failure. See `Client.execute`.
 *
 * ### Example
 * ```tsx
 * const withdraw = useCommand(Account, 'withdraw');
 * const receipt = await withdraw('ada', { amount: 5 });
 * if (receipt.status === 'rejected') setError(receipt.rejection.code);
 * ```
 */
export function useCommand<A extends Aggregate, Name extends CommandName<A>>(
  aggregate: A,
  name: Name,
): (id: string, input: CommandInput<A, Name>, options?: ExecuteOptions) => Promise<Receipt<CommandRejection<A, Name>>> {
  const client = useClient();
  return useCallback(
    (id, input, options) => client.execute(aggregate, id, name, input, options),
    [client, aggregate, name],
  );
}
