import type { Command } from './command.ts';
import type { AnyEvent, EventSet, RecordedEvent, RecordedEventOf, UnionOfSets } from './events.ts';
import type { StartAt } from './reactor.ts';
import type { Rejection } from './rejection.ts';
import { requireName, streamIdToId } from './stream-id.ts';

/** What a process answers with; what is left out stays as it is. */
export interface Step<State = unknown, Deadline extends string = string> {
  /** The new state of the instance; `null` ends it: its state and deadlines are gone. */
  readonly state?: State | null;
  /** Sent in this order, each as a commit of its own that names the event as its cause. */
  readonly commands?: readonly Command[];
  /** Times to be called at, in milliseconds since 1970; `null` cancels. A deadline has one time: a new one takes its place. */
  readonly deadlines?: { readonly [Name in Deadline]?: number | null };
}

/** A command of a process that the domain said no to. */
export interface RejectedCommand {
  readonly command: Command;
  readonly rejection: Rejection;
}

/** Which instance of a process is asked. */
export interface ProcessContext {
  /** Its key. */
  readonly id: string;
}

/** When a deadline is asked about: both in milliseconds since 1970. */
export interface DeadlineContext extends ProcessContext {
  /** When it was to be. */
  readonly at: number;
  /** The time it is now: later, where no tab was open. */
  readonly now: number;
}

/** A long-running rule: a state per instance, folded from events, and the commands and deadlines that follow. Pure. */
export interface Process<Name extends string = string, State = unknown, Deadline extends string = string> {
  readonly kind: 'process';
  readonly name: Name;
  readonly events: EventSet;
  /** The types that it has a handler for. */
  readonly eventTypes: readonly string[];
  readonly startAt: StartAt;
  /** Names of the deadlines that it can be called at. */
  readonly deadlines: readonly string[];
  initialState(): State;
  /** The instance that an event belongs to. */
  keyOf(event: RecordedEvent): string;
  onEvent(state: State, event: RecordedEvent, context: ProcessContext): Step<State, Deadline>;
  /** Nothing for a deadline that the process no longer knows. */
  onDeadline(deadline: string, state: State, context: DeadlineContext): Step<State, Deadline>;
  onRejected(state: State, rejected: RejectedCommand, context: ProcessContext): Step<State, Deadline>;
  /** Never there at run time: it carries the type of their names. */
  readonly deadlineNames?: Deadline;
}

export type StateOf<P extends Process> = ReturnType<P['initialState']>;
export type DeadlineOf<P extends Process> = NonNullable<P['deadlineNames']>;

/**
 * Declares a rule that follows events with commands, now or at a later time.
 *
 * Handlers are pure: the same state and event give the same step, for they may be asked again after a crash. What they
 * answer with happens once: a command's id is made of the process, the event and its place in the step, and the log
 * drops it when it is repeated. State is plain data and frozen: return a new object.
 *
 * A rejected command is an answer, and is not tried again: `onRejected` may follow it. A deadline that fell due while no
 * tab was open is called at the next start, after the events that were stored until then.
 *
 * A new process, and every process after an import, starts with what is stored from then on, unless `startAt` is
 * `'beginning'`.
 *
 * ### Example
 * ```ts
 * const Payment = defineProcess('payment', {
 *   from: [OrderEvents],
 *   initialState: () => ({ paid: false }),
 *   on: {
 *     Placed: (state, { meta }) => ({ deadlines: { unpaid: meta.recordedAt + 3 * day } }),
 *     Paid: () => ({ state: { paid: true }, deadlines: { unpaid: null } }),
 *   },
 *   deadlines: { unpaid: (state, { id }) => ({ commands: [command(Order, id, 'cancel', {})] }) },
 * });
 * ```
 */
export function defineProcess<
  const Name extends string,
  Sets extends readonly EventSet[],
  State,
  Deadline extends string = never,
>(
  name: Name,
  definition: {
    readonly from: readonly [...Sets];
    /** The instance that an event belongs to; the id of its stream unless you say otherwise. */
    readonly key?: (event: AnyEvent<Sets>) => string;
    readonly initialState: () => State;
    readonly startAt?: StartAt;
    readonly on: {
      readonly [Type in keyof UnionOfSets<Sets>]?: (
        state: NoInfer<State>,
        event: RecordedEventOf<UnionOfSets<Sets>, Type>,
        context: ProcessContext,
      ) => Step<NoInfer<State>, NoInfer<Deadline>> | undefined;
    };
    readonly deadlines?: {
      readonly [Name in Deadline]: (
        state: NoInfer<State>,
        context: DeadlineContext,
      ) => Step<NoInfer<State>, NoInfer<Deadline>> | undefined;
    };
    readonly onRejected?: (
      state: NoInfer<State>,
      rejected: RejectedCommand,
      context: ProcessContext,
    ) => Step<NoInfer<State>, NoInfer<Deadline>> | undefined;
  },
): Process<Name, State, Deadline> {
  requireName('process', name);
  type Answer = Step<State, Deadline> | undefined;
  // Erased once, here: the compiler checked the handlers against the declared events at the call.
  const handlers = definition.on as unknown as Record<
    string,
    (state: State, event: AnyEvent<Sets>, context: ProcessContext) => Answer
  >;
  const deadlines = (definition.deadlines ?? {}) as unknown as Record<
    string,
    (state: State, context: DeadlineContext) => Answer
  >;
  for (const deadline of Object.keys(deadlines)) requireName('deadline', deadline);
  const { key } = definition;
  return {
    kind: 'process',
    name,
    events: Object.assign({}, ...definition.from),
    eventTypes: Object.keys(handlers),
    startAt: definition.startAt ?? 'end',
    deadlines: Object.keys(deadlines),
    initialState: definition.initialState,
    keyOf: (event) => (key === undefined ? streamIdToId(event.stream) : key(event as AnyEvent<Sets>)),
    onEvent: (state, event, context) => handlers[event.type]?.(state, event as AnyEvent<Sets>, context) ?? {},
    onDeadline: (deadline, state, context) =>
      (Object.hasOwn(deadlines, deadline) ? deadlines[deadline]?.(state, context) : undefined) ?? {},
    onRejected: (state, rejected, context) => definition.onRejected?.(state, rejected, context) ?? {},
  };
}
