import type { Command } from '../core/command.ts';
import type { NewEvent } from '../core/events.ts';
import type { DeadlineOf, Process, StateOf, Step } from '../core/process.ts';
import { type Rejection, reject } from '../core/rejection.ts';
import { applyStep, type Cause, stateOf } from '../engine/reactions/process-step.ts';
import type { Instance } from '../log/checkpoint-store.ts';
import { assertEqual } from './assert.ts';
import { recordGiven } from './record-given.ts';

/** A test of one instance of a process, as a sentence: given these events, when this comes, then these commands follow. */
export interface ProcessSpec<P extends Process> {
  /** What the process has seen, oldest first; may be said several times. What followed from it is not looked at. */
  given(...events: readonly NewEvent[]): ProcessSpec<P>;
  /** Sees one more event, or is called at the deadline of this name, at the time that it was set for. */
  when(what: NewEvent | DeadlineOf<P>): ProcessOutcome<P>;
  /** Hears that a command that it sent was rejected. */
  whenRejected(command: Command, rejection: string | Rejection): ProcessOutcome<P>;
}

/** What followed. Each method throws, with both sides in the message, where it was something else. */
export interface ProcessOutcome<P extends Process> {
  /** Exactly these commands, in this order. */
  thenCommands(...commands: readonly Command[]): void;
  /** No command, and the instance as it was. */
  thenNothing(): void;
  /** The deadline of this name is set for this time, in milliseconds since 1970; `null`: it is not set. */
  thenDeadline(name: DeadlineOf<P>, at: number | null): void;
  thenState(state: StateOf<P>): void;
}

export interface ProcessSpecOptions {
  /** The stream of the events; its id is the key of the instance, unless the process says otherwise. `given-1` by default. */
  readonly stream?: string;
  /** When the events are recorded, in milliseconds since 1970; 0 by default. */
  readonly now?: number;
}

/**
 * Tests a process without a log, a worker or a browser, in any runner.
 *
 * Everything is delivered twice and compared, on a state that was saved and loaded, as after a crash: a handler that
 * reads a clock, keeps something besides its state, or keeps what cannot be saved, is found here.
 *
 * ### Example
 * ```ts
 * processSpec(Payment)
 *   .given(OrderEvents.Placed({ price: 5 }))
 *   .when('unpaid')
 *   .thenCommands(command(Order, '1', 'cancel', {}));
 * ```
 */
export function processSpec<P extends Process>(
  process: P,
  { stream = 'given-1', now = 0 }: ProcessSpecOptions = {},
): ProcessSpec<P> {
  const types = (events: readonly NewEvent[]) => events.map(({ type }) => type).join(', ') || 'no event';

  function recordAll(events: readonly NewEvent[]) {
    return events.map((event, index) =>
      recordGiven(event, { stream, revision: index, position: index + 1, recordedAt: now }),
    );
  }

  /** As it is after it was saved. */
  function saved(instance: Instance): Instance {
    return structuredClone(instance);
  }

  function take(instance: Instance, what: string, cause: Cause, ask: (state: unknown) => Step) {
    const before = saved(instance);
    const askOnce = () => ask(stateOf(process, saved(instance)));
    const step = askOnce();
    assertEqual(askOnce(), step, `${what} answered otherwise the second time: it must be made of its arguments alone`);
    return { before, step, after: saved(applyStep(process, before, step, cause)) };
  }

  function see(instance: Instance, events: readonly NewEvent[], index: number) {
    const event = recordAll(events)[index];
    if (event === undefined) throw new Error(`There is no event ${index}.`);
    const cause = { causationId: event.id, correlationId: event.meta.correlationId };
    const about = `The handler of "${event.type}" of the process "${process.name}"`;
    if (!process.eventTypes.includes(event.type)) {
      return { before: instance, step: {} as Step, after: instance };
    }
    const id = process.keyOf(event);
    return take({ ...instance, key: id }, about, cause, (state) => process.onEvent(state, event, { id }));
  }

  function fold(events: readonly NewEvent[]): Instance {
    const start: Instance = { key: stream.slice(stream.indexOf('-') + 1), deadlines: {} };
    return events.reduce((instance, _event, index) => see(instance, events, index).after, start);
  }

  function outcomeOf(about: string, { before, step, after }: ReturnType<typeof take>): ProcessOutcome<P> {
    const commands = (step.commands ?? []).map(toComparable);
    return {
      thenCommands: (...expected) => assertEqual(commands, expected.map(toComparable), about),
      thenNothing: () => {
        assertEqual(commands, [], about);
        assertEqual(after, before, `${about}: the instance`);
      },
      thenDeadline: (name, at) =>
        assertEqual(after.deadlines[name]?.at ?? null, at, `${about}: the time of the deadline "${name}"`),
      thenState: (state) => assertEqual(stateOf(process, after), state, `${about}: the state`),
    };
  }

  const startFrom = (given: readonly NewEvent[]): ProcessSpec<P> => ({
    given: (...events) => startFrom([...given, ...events]),
    when: (what) => {
      const instance = fold(given);
      const about = `The process "${process.name}" after ${types(given)}`;
      if (typeof what === 'object') {
        return outcomeOf(`${about}, on ${what.type}`, see(instance, [...given, what], given.length));
      }
      const { [what]: set, ...deadlines } = instance.deadlines;
      if (set === undefined) {
        const others = Object.keys(deadlines).join(', ') || 'none';
        throw new Error(`${about} was expected to have the deadline "${what}", but it has ${others}.`);
      }
      const context = { id: instance.key, at: set.at, now: set.at };
      const asked = take(
        { ...instance, deadlines },
        `The deadline "${what}" of the process "${process.name}"`,
        set,
        (state) => process.onDeadline(what, state, context),
      );
      return outcomeOf(`${about}, at its deadline "${what}"`, asked);
    },
    whenRejected: (command, rejection) => {
      const instance = fold(given);
      const said = typeof rejection === 'string' ? reject(rejection) : rejection;
      const cause = { causationId: 'given', correlationId: 'given' };
      const asked = take(instance, `onRejected of the process "${process.name}"`, cause, (state) =>
        process.onRejected(state, { command, rejection: said }, { id: instance.key }),
      );
      return outcomeOf(
        `The process "${process.name}" after ${types(given)}, where "${command.name}" was rejected with "${said.code}"`,
        asked,
      );
    },
  });
  return startFrom([]);
}

function toComparable({ aggregate, id, name, input }: Command): unknown {
  return { aggregate, id, name, input };
}
