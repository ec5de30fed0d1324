import { useMemo, useSyncExternalStore } from 'react';
import type { ExecuteOptions } from '../client/client.ts';
import type { Aggregate, CommandInput, CommandName, CommandRejection } from '../core/aggregate.ts';
import type { Failure } from '../core/errors.ts';
import type { Receipt } from '../core/receipt.ts';
import type { InvalidInput, Rejection } from '../core/rejection.ts';
import { useClient } from './provider.tsx';

/** Sends one command of an aggregate, and knows what became of this component's last call. */
export interface CommandSender<Input = unknown, Refusal extends Rejection = Rejection> {
  (id: string, input: Input, options?: ExecuteOptions): Promise<Receipt<Refusal>>;
  /** Whether a call is not answered yet. */
  readonly pending: boolean;
  /** What the domain said no with; undefined where the call was saved. Of two calls that overlap, the later one counts. */
  readonly rejection: Refusal | InvalidInput | undefined;
  /** What the world said no with, likewise. */
  readonly failure: Failure | undefined;
}

/**
 * A function that sends one command of an aggregate.
 *
 * Resolves when the events are on disk and this page shows them, or with the rejection or failure. See `Client.execute`.
 * A component that reads `pending`, `rejection` or `failure` renders when they change, and gets another function then, so
 * that what is memoised by the function is made anew. For all others it is the same function at every render.
 *
 * ### Example
 * ```tsx
 * const withdraw = useCommand(Account, 'withdraw');
 * return (
 *   <button disabled={withdraw.pending} onClick={() => withdraw('ada', { amount: 5 })}>
 *     {withdraw.rejection?.code ?? 'Withdraw'}
 *   </button>
 * );
 * ```
 */
export function useCommand<A extends Aggregate, Name extends CommandName<A>>(
  aggregate: A,
  name: Name,
): CommandSender<CommandInput<A, Name>, CommandRejection<A, Name>> {
  const client = useClient();
  const calls = useMemo(
    () =>
      createCalls<CommandInput<A, Name>, CommandRejection<A, Name>>((id, input, options) =>
        client.execute(aggregate, id, name, input, options),
      ),
    [client, aggregate, name],
  );
  return useSyncExternalStore(calls.subscribe, calls.getSender, calls.getSender);
}

type Execute<Input, Refusal extends Rejection> = (
  id: string,
  input: Input,
  options?: ExecuteOptions,
) => Promise<Receipt<Refusal>>;

interface Calls<Input, Refusal extends Rejection> {
  subscribe(listener: () => void): () => void;
  getSender(): CommandSender<Input, Refusal>;
}

/** The calls of one component. What React compares is the function itself: a new one tells of a change to who reads it. */
function createCalls<Input, Refusal extends Rejection>(execute: Execute<Input, Refusal>): Calls<Input, Refusal> {
  const listeners = new Set<() => void>();
  let isRead = false;
  let [started, open, settled] = [0, 0, 0];
  let refusal: Exclude<Receipt<Refusal>, { readonly status: 'saved' }> | undefined;
  let sender = createSender();

  function createSender(): CommandSender<Input, Refusal> {
    const send: Execute<Input, Refusal> = async (id, input, options) => {
      started += 1;
      const turn = started;
      open += 1;
      // A second call that overlaps changes nothing to see.
      if (open === 1) tell();
      let receipt: Receipt<Refusal> | undefined;
      try {
        receipt = await execute(id, input, options);
        return receipt;
      } finally {
        open -= 1;
        const before = refusal;
        if (turn > settled) {
          settled = turn;
          refusal = receipt?.status === 'saved' ? undefined : receipt;
        }
        if (open === 0 || refusal !== before) tell();
      }
    };
    const read = <Value>(get: () => Value) => ({
      get: () => {
        isRead = true;
        return get();
      },
    });
    // Not enumerable: who only looks at the function, such as a developer tool, does not read them.
    return Object.defineProperties(send, {
      pending: read(() => open > 0),
      rejection: read(() => (refusal?.status === 'rejected' ? refusal.rejection : undefined)),
      failure: read(() => (refusal?.status === 'failed' ? refusal.failure : undefined)),
    }) as CommandSender<Input, Refusal>;
  }

  function tell(): void {
    if (!isRead) return;
    sender = createSender();
    for (const listener of listeners) listener();
  }

  return {
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    getSender: () => sender,
  };
}
