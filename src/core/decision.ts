import type { Aggregate, DecideContext, Decided, OnConflict } from './aggregate.ts';
import type { EventSet, NewEventOf } from './events.ts';
import type { Rejection } from './rejection.ts';
import { type Parsed, parseWith, type Schema, type SchemaInput, type SchemaOutput } from './schema.ts';
import { requireName, toStreamId } from './stream-id.ts';
import type { View } from './view.ts';

/** A decision across streams: its consistency boundary is what its views read (Dynamic Consistency Boundary, dcb.events). */
export interface Decision<Name extends string = string, Input = never, Refusal extends Rejection = Rejection> {
  readonly kind: 'decision';
  readonly name: Name;
  readonly events: EventSet;
  readonly onConflict: OnConflict;
  parseInput(input: unknown): Parsed<unknown>;
  /** The stream that its events go to, if the definition says. Takes what `parseInput` gave. */
  streamOf(input: unknown): string | undefined;
  reads(input: unknown): { readonly [name: string]: View };
  /** Takes the states of the views that `reads` named. */
  decide(input: unknown, states: { readonly [name: string]: unknown }, context: DecideContext): Decided;
  /** Never there at run time: they carry the types. */
  readonly inputType?: (input: Input) => void;
  readonly rejectionType?: Refusal;
}

export type DecisionInput<D> = D extends Decision<string, infer Input, Rejection> ? Input : never;
export type DecisionRejection<D> = D extends Decision<string, never, infer Refusal> ? Refusal : never;

/**
 * Declares a decision that depends on events of several streams: a student may subscribe to a course that has a seat
 * left, if she has not too many courses already.
 *
 * Nobody can append an event that one of its views would read between the reading and the append, in any tab. Its
 * events carry the tags by which views find them. They go to a stream of their own, each time another one, unless
 * `stream` names that of an aggregate: where the aggregate declares them too, its state follows from them.
 *
 * ### Example
 * ```ts
 * const subscribe = defineDecision('subscribe', {
 *   events: CourseEvents,
 *   input: z.object({ course: z.string(), student: z.string() }),
 *   reads: ({ course, student }) => ({ seats: seats(`course:${course}`), load: load(`student:${student}`) }),
 *   decide: ({ course, student }, { seats, load }) => {
 *     if (seats.taken >= seats.capacity) return reject('course-full');
 *     if (load.courses >= 5) return reject('too-many-courses');
 *     return CourseEvents.StudentSubscribed({ course, student }, [`course:${course}`, `student:${student}`]);
 *   },
 * });
 * const receipt = await client.execute(subscribe, { course: 'c1', student: 'ada' });
 * ```
 */
export function defineDecision<
  const Name extends string,
  Events extends EventSet,
  Input extends Schema,
  Views extends { readonly [name: string]: View },
  Answer extends NewEventOf<Events> | readonly NewEventOf<Events>[] | Rejection,
>(
  name: Name,
  definition: {
    readonly events: Events;
    readonly input: Input;
    readonly reads: (input: SchemaOutput<Input>) => Views;
    /** The aggregate and the id whose stream the events go to. */
    readonly stream?: (input: SchemaOutput<Input>) => readonly [aggregate: Aggregate, id: string];
    /** With sync; `re-decide` by default. */
    readonly onConflict?: OnConflict;
    readonly decide: (
      input: SchemaOutput<Input>,
      states: { readonly [View in keyof Views]: ReturnType<Views[View]['initialState']> },
      context: DecideContext,
    ) => Answer;
  },
): Decision<Name, SchemaInput<Input>, Extract<Answer, Rejection>> {
  requireName('decision', name);
  return {
    kind: 'decision',
    name,
    events: definition.events,
    onConflict: definition.onConflict ?? 're-decide',
    parseInput: (input) => parseWith(definition.input, input),
    // Checked by the compiler at the call of `defineDecision`; the engine hands over what `parseInput` gave.
    streamOf: (input) => {
      const to = definition.stream?.(input as SchemaOutput<Input>);
      return to && toStreamId(to[0].name, to[1]);
    },
    reads: (input) => definition.reads(input as SchemaOutput<Input>),
    decide: (input, states, context) =>
      definition.decide(input as SchemaOutput<Input>, states as never, context) as Decided,
  };
}
