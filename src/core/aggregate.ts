import type { EventSet, NewEvent, NewEventOf, RecordedEvent, RecordedEventOf } from './events.ts';
import type { Rejection } from './rejection.ts';
import { type Parsed, parseWith, type Schema, type SchemaInput, type SchemaOutput } from './schema.ts';
import { requireName } from './stream-id.ts';

/** What `decide` may know besides input and state, so that it stays pure. */
export interface DecideContext {
  /** The id that the command was sent to: `42` of `account-42`. */
  readonly id: string;
  /** Milliseconds since 1970, the same for the whole decision. */
  readonly now: number;
  /** A new random id of 128 bits. */
  readonly newId: () => string;
}

/** What `decide` answers: one event, several, none (a success that changes nothing), or a rejection. */
export type Decided<Event extends NewEvent = NewEvent> = Event | readonly Event[] | Rejection;

/** Input and rejections of each command, carried by an aggregate's type. */
export interface CommandTypes {
  readonly [command: string]: { readonly input: unknown; readonly rejection: Rejection };
}

/**
 * What becomes of a command that was saved before events of others came to its stream by sync.
 *
 * - `re-decide`: it is decided again on what is there now. Where the domain then says no, it is withdrawn, and its
 *   receipt says `refused`.
 * - `keep`: its events stand as they were saved, for they say what happened (an inspection, a reading of a sensor).
 */
export type OnConflict = 're-decide' | 'keep';

/** A consistency boundary: its state is folded from the events of one stream, and its commands decide on that state. */
export interface Aggregate<
  Name extends string = string,
  State = unknown,
  Commands extends CommandTypes = CommandTypes,
> {
  readonly kind: 'aggregate';
  readonly name: Name;
  readonly events: EventSet;
  readonly commandNames: readonly string[];
  /** After how many events of a stream its state is saved; absent: never. */
  readonly snapshotEvery?: number;
  readonly onConflict: OnConflict;
  /** What a saved state was made by: name, version, and every event type with its version. */
  readonly signature: string;
  initialState(): State;
  /** The state after an event; the same state for an event type that the aggregate does not know. */
  evolve(state: State, event: RecordedEvent): State;
  parseInput(command: string, input: unknown): Parsed<unknown>;
  /** Takes what `parseInput` gave. */
  decide(command: string, input: unknown, state: State, context: DecideContext): Decided;
  /** Never there at run time: it carries the types of the commands. */
  readonly commandTypes?: Commands;
}

export type CommandName<A extends Aggregate> = keyof NonNullable<A['commandTypes']> & string;
export type CommandInput<A extends Aggregate, Name extends CommandName<A>> = NonNullable<
  A['commandTypes']
>[Name]['input'];
export type CommandRejection<A extends Aggregate, Name extends CommandName<A>> = NonNullable<
  A['commandTypes']
>[Name]['rejection'];

/**
 * Declares an aggregate: how its state follows from its events, and what its commands decide.
 *
 * `evolve` must name every event of the set; `decide` is synchronous and pure, for it may be run again.
 * State and payloads are frozen: return new objects. Where the state is a union, annotate what its handlers return,
 * `(state): State => …`: TypeScript widens the literals of the others.
 *
 * ### Example
 * ```ts
 * const Counter = defineAggregate('counter', {
 *   events: CounterEvents,
 *   initialState: () => ({ count: 0 }),
 *   evolve: { Counted: (state, { data }) => ({ count: state.count + data.by }) },
 *   commands: { count: { input: z.object({ by: z.number() }), decide: ({ by }) => CounterEvents.Counted({ by }) } },
 * });
 * ```
 */
export function defineAggregate<
  const Name extends string,
  Events extends EventSet,
  State,
  Inputs extends { readonly [command: string]: Schema },
  Answers extends { readonly [command in keyof Inputs]: unknown },
>(
  name: Name,
  definition: {
    readonly events: Events;
    readonly initialState: () => State;
    /**
     * Saves the state of a stream every so many events, for streams of many hundred events: a shortcut only. The state
     * must then be plain data. Raise `version` when `evolve` changes, so that older saved states are not used.
     */
    readonly snapshot?: { readonly every: number; readonly version?: number };
    /** With sync; `re-decide` by default. */
    readonly onConflict?: OnConflict;
    readonly evolve: {
      readonly [Type in keyof Events]: (state: NoInfer<State>, event: RecordedEventOf<Events, Type>) => NoInfer<State>;
    };
    readonly commands: {
      readonly [Command in keyof Inputs]: {
        readonly input: Inputs[Command];
        readonly decide: (
          input: SchemaOutput<Inputs[Command]>,
          state: NoInfer<State>,
          context: DecideContext,
        ) => NewEventOf<Events> | readonly NewEventOf<Events>[] | Rejection;
      };
    } & { readonly [Command in keyof Answers]: { readonly decide: (...input: never[]) => Answers[Command] } };
  },
): Aggregate<
  Name,
  State,
  {
    readonly [Command in keyof Inputs & string]: {
      readonly input: SchemaInput<Inputs[Command]>;
      readonly rejection: Extract<Answers[Command], Rejection>;
    };
  }
> {
  requireName('aggregate', name);
  // Erased once, here: what comes in was checked against the declared types by the compiler at the call of `defineAggregate`.
  const evolve = definition.evolve as unknown as Record<string, (state: State, event: RecordedEvent) => State>;
  const commands = definition.commands as unknown as Record<
    string,
    { readonly input: Schema; readonly decide: (input: unknown, state: State, context: DecideContext) => Decided }
  >;
  const requireCommand = (command: string) => {
    const found = Object.hasOwn(commands, command) ? commands[command] : undefined;
    if (found === undefined) {
      throw new Error(
        `The aggregate "${name}" has no command "${command}"; it has ${Object.keys(commands).join(', ') || 'none'}. ` +
          'If the page and the worker were built at different times, reload the page.',
      );
    }
    return found;
  };
  return {
    kind: 'aggregate',
    name,
    events: definition.events,
    commandNames: Object.keys(commands),
    ...(definition.snapshot === undefined ? {} : { snapshotEvery: definition.snapshot.every }),
    onConflict: definition.onConflict ?? 're-decide',
    signature: [
      `${name}@${definition.snapshot?.version ?? 1}`,
      ...Object.values(definition.events as EventSet)
        .map((event) => `${event.type}@${event.version}`)
        .sort(),
    ].join(' '),
    initialState: definition.initialState,
    evolve: (state, event) => {
      const step = Object.hasOwn(evolve, event.type) ? evolve[event.type] : undefined;
      return step === undefined ? state : Object.freeze(step(state, event));
    },
    parseInput: (command, input) => parseWith(requireCommand(command).input, input),
    decide: (command, input, state, context) => requireCommand(command).decide(input, state, context),
  };
}
