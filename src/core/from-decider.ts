import { type Aggregate, type DecideContext, type Decided, defineAggregate, type OnConflict } from './aggregate.ts';
import type { EventSet, NewEventOf, RecordedEvent, RecordedEventOf } from './events.ts';
import type { Rejection } from './rejection.ts';
import type { Schema, SchemaInput, SchemaOutput } from './schema.ts';

/** A command as a decider takes it. */
type DeciderCommand<Inputs extends { readonly [command: string]: Schema }> = {
  readonly [Command in keyof Inputs & string]: {
    readonly type: Command;
    readonly data: SchemaOutput<Inputs[Command]>;
  };
}[keyof Inputs & string];

/**
 * Makes an aggregate of a decider: one `decide` over all commands and one `evolve` over all events, each a switch over
 * `type`, as Emmett and Chassaing's *Functional Event Sourcing Decider* write them.
 *
 * ### Example
 * ```ts
 * const Light = fromDecider('light', {
 *   events: LightEvents,
 *   commands: { switchOn: shape<{ by: string }>() },
 *   initialState: () => ({ on: false }),
 *   evolve: (state, event) => (event.type === 'SwitchedOn' ? { on: true } : state),
 *   decide: (command, state) => (state.on ? [] : LightEvents.SwitchedOn(command.data)),
 * });
 * ```
 */
export function fromDecider<
  const Name extends string,
  Events extends EventSet,
  State,
  Inputs extends { readonly [command: string]: Schema },
  Answer extends NewEventOf<Events> | readonly NewEventOf<Events>[] | Rejection,
>(
  name: Name,
  decider: {
    readonly events: Events;
    /** The input of each command. */
    readonly commands: Inputs;
    readonly initialState: () => State;
    readonly evolve: (
      state: NoInfer<State>,
      event: { [Type in keyof Events]: RecordedEventOf<Events, Type> }[keyof Events],
    ) => NoInfer<State>;
    readonly decide: (command: DeciderCommand<Inputs>, state: NoInfer<State>, context: DecideContext) => Answer;
    readonly snapshot?: { readonly every: number; readonly version?: number };
    /** With sync; `re-decide` by default. */
    readonly onConflict?: OnConflict;
  },
): Aggregate<
  Name,
  State,
  {
    readonly [Command in keyof Inputs & string]: {
      readonly input: SchemaInput<Inputs[Command]>;
      readonly rejection: Extract<Answer, Rejection>;
    };
  }
> {
  // Erased once, here: the compiler checked the decider against its declarations at the call.
  const decide = decider.decide as unknown as (
    command: { readonly type: string; readonly data: unknown },
    state: State,
    context: DecideContext,
  ) => Decided;
  const evolve = decider.evolve as unknown as (state: State, event: RecordedEvent) => State;
  const commands = Object.entries(decider.commands).map(([type, input]) => [
    type,
    { input, decide: (data: unknown, state: State, context: DecideContext) => decide({ type, data }, state, context) },
  ]);
  const { events, initialState, snapshot, onConflict } = decider;
  const aggregate: Aggregate<Name, State> = defineAggregate(name, {
    events: events as EventSet,
    initialState,
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(onConflict === undefined ? {} : { onConflict }),
    evolve: Object.fromEntries(Object.keys(events).map((type) => [type, evolve])),
    commands: Object.fromEntries(commands),
  });
  return aggregate as never;
}
