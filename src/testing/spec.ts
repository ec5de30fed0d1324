import type {
  Aggregate,
  CommandInput,
  CommandName,
  CommandRejection,
  DecideContext,
  Decided,
} from '../core/aggregate.ts';
import type { NewEvent, OptionalData } from '../core/events.ts';
import { reject } from '../core/rejection.ts';
import { toStreamId } from '../core/stream-id.ts';
import { assertEqual } from './assert.ts';
import { countIds, listTypes, type Outcome, requireStorable, toEvents, toOutcome } from './outcome.ts';
import { recordGiven } from './record-given.ts';

/** A test of an aggregate's rules, as a sentence: given these events, when this command, then that. */
export interface Spec<A extends Aggregate> {
  /** What has happened on the stream before, oldest first; may be said several times. Refuses what is not the aggregate's. */
  given(...events: readonly NewEvent[]): Spec<A>;
  /** Decides one command. Throws what the app's own code throws. */
  when<Name extends CommandName<A>>(
    name: Name,
    ...input: OptionalData<CommandInput<A, Name>>
  ): Outcome<CommandRejection<A, Name>, ReturnType<A['initialState']>>;
}

export interface SpecOptions {
  /** The id that the command is sent to; `1` by default. */
  readonly id?: string;
  /** Milliseconds since 1970; 0 by default. */
  readonly now?: number;
}

/**
 * Tests an aggregate without a log, a worker or a browser, in any runner.
 *
 * Ids that `decide` makes are `id-1`, `id-2`, … `decide` and `evolve` are run twice and compared: a rule that reads a
 * clock or a random number, or changes the state it was given, is found here and not on a customer's second device.
 *
 * ### Example
 * ```ts
 * spec(Account)
 *   .given(AccountEvents.Opened({ owner: 'Ada' }), AccountEvents.Deposited({ amount: 10 }))
 *   .when('withdraw', { amount: 20 })
 *   .thenRejected('insufficient-funds', { balance: 10 });
 * ```
 */
export function spec<A extends Aggregate>(aggregate: A, { id = '1', now = 0 }: SpecOptions = {}): Spec<A> {
  const stream = toStreamId(aggregate.name, id);
  const fold = (events: readonly NewEvent[]) =>
    events.reduce(
      (state, event, index) =>
        aggregate.evolve(state, recordGiven(event, { stream, revision: index, position: index + 1, recordedAt: now })),
      aggregate.initialState(),
    );

  function decideOnce(given: readonly NewEvent[], name: string, input: unknown) {
    const state = fold(given);
    const before = structuredClone(state);
    const parsed = aggregate.parseInput(name, input);
    const context: DecideContext = { id, now, newId: countIds() };
    const answer: Decided = parsed.ok
      ? aggregate.decide(name, parsed.value, state, context)
      : reject('invalid-input', { issues: parsed.issues });
    const decided: readonly NewEvent[] | undefined = toEvents(answer);
    const who = `The command "${name}" of "${aggregate.name}"`;
    assertEqual(state, before, `${who} changed the state that it decided on`);
    requireStorable(decided ?? [], who);
    return { answer, decided, state: decided === undefined ? state : fold([...given, ...decided]) };
  }

  const startFrom = (given: readonly NewEvent[]): Spec<A> => ({
    given: (...events) => {
      for (const { type } of events) {
        if (Object.hasOwn(aggregate.events, type)) continue;
        throw new Error(
          `An event "${type}" was given, which "${aggregate.name}" does not declare: its streams never hold one. Give its own, or test a decision across streams with decisionSpec.`,
        );
      }
      return startFrom([...given, ...events]);
    },
    when: (name, ...[input = {}]) => {
      const first = decideOnce(given, name, input);
      const again = decideOnce(given, name, input);
      const about = `The command "${name}" of "${aggregate.name}" after ${listTypes(given)}`;
      assertEqual(again, first, `${about} decided otherwise the second time: it must be made of its arguments alone`);
      return toOutcome(first, about);
    },
  });
  return startFrom([]);
}
