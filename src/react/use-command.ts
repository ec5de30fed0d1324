import { useMemo, useSyncExternalStore } from 'react';
import type { DecisionOptions, ExecuteOptions } from '../client/outbox.ts';
import type { Aggregate, CommandInput, CommandName, CommandRejection } from '../core/aggregate.ts';
import type { Decision, DecisionInput, DecisionRejection } from '../core/decision.ts';
import type { Failure } from '../core/errors.ts';
import type { OptionalData } from '../core/events.ts';
import type { Receipt } from '../core/receipt.ts';
import type { InvalidInput, Rejection } from '../core/rejection.ts';
import { useClient } from './provider.tsx';

/** Sends commands, and knows what became of this component's last call. */
export interface Sender<Args extends readonly unknown[] = readonly unknown[], Refusal extends Rejection = Rejection> {
  (...args: Args): Promise<Receipt<Refusal>>;
  /** Whether a call is not answered yet. */
  readonly pending: boolean;
  /** What the domain said no with; undefined where the call was saved. Of two calls that overlap, the later one counts. */
  readonly rejection: Refusal | InvalidInput | undefined;
  /** What the world said no with, likewise. */
  readonly failure: Failure | undefined;
}

/** Sends one command of an aggregate. */
export type CommandSender<Input = unknown, Refusal extends Rejection = Rejection> = Sender<
  readonly [id: string, ...OptionalData<Input>, options?: ExecuteOptions],
  Refusal
>;

/** Sends a decision across streams. */
export type DecisionSender<Input = unknown, Refusal extends Rejection = Rejection> = Sender<
  readonly [...OptionalData<Input>, options?: DecisionOptions],
  Refusal
>;

/**
 * A function that sends one command of an aggregate, or a decision across streams.
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
): CommandSender<CommandInput<A, Name>, CommandRejection<A, Name>>;
export function useCommand<D extends Decision>(decision: D): DecisionSender<DecisionInput<D>, DecisionRejection<D>>;
export function useCommand(owner: Aggregate | Decision, name?: string): Sender {
  const client = useClient();
  const calls = useMemo(
    () =>
      // What may be sent to which was checked by the overloads.
      createCalls((...args) =>
        Reflect.apply(
          client.execute,
          client,
          owner.kind === 'decision' ? [owner, ...args] : withName(owner, name, args),
        ),
      ),
    [client, owner, name],
  );
  return useSyncExternalStore(calls.subscribe, calls.getSender, calls.getSender);
}

function withName(aggregate: Aggregate, name: string | undefined, [id, ...rest]: readonly unknown[]): unknown[] {
  return [aggregate, id, name, ...rest];
}

type Execute<Args extends readonly unknown[], Refusal extends Rejection> = (...args: Args) => Promise<Receipt<Refusal>>;

interface Calls<Args extends readonly unknown[], Refusal extends Rejection> {
  subscribe(listener: () => void): () => void;
  getSender(): Sender<Args, Refusal>;
}

/** The calls of one component. What React compares is the function itself: a new one tells of a change to who reads it. */
function createCalls<Args extends readonly unknown[], Refusal extends Rejection>(
  execute: Execute<Args, Refusal>,
): Calls<Args, Refusal> {
  const listeners = new Set<() => void>();
  let isRead = false;
  let [started, open, settled] = [0, 0, 0];
  let refusal: Exclude<Receipt<Refusal>, { readonly status: 'saved' }> | undefined;
  let sender = createSender();

  function createSender(): Sender<Args, Refusal> {
    const send: Execute<Args, Refusal> = async (...args) => {
      started += 1;
      const turn = started;
      open += 1;
      // A second call that overlaps changes nothing to see.
      if (open === 1) tell();
      let receipt: Receipt<Refusal> | undefined;
      try {
        receipt = await execute(...args);
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
    }) as Sender<Args, Refusal>;
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
