import type { EventFilter } from './event-query.ts';
import type { EventSet, RecordedEvent, RecordedEventOf, UnionOfSets } from './events.ts';

/** What a decision knows of some part of the log: a state, folded from the events of some types that carry some tags. */
export interface View<State = unknown> {
  readonly kind: 'view';
  /** The events that it is folded from. */
  readonly filter: EventFilter;
  /** Told apart from other views of the same filter by this: what `view` returned. */
  readonly definition: object;
  initialState(): State;
  evolve(state: State, event: RecordedEvent): State;
}

/**
 * Declares how a state follows from events, whatever streams they are in. Called with tags, it gives the view of the
 * events that carry all of them.
 *
 * Only the types that `on` names are looked at: a decision is not disturbed by others. States are frozen: return new ones.
 *
 * ### Example
 * ```ts
 * const seats = view({
 *   from: [CourseEvents],
 *   initialState: () => ({ capacity: 0, taken: 0 }),
 *   on: {
 *     CourseDefined: (state, { data }) => ({ ...state, capacity: data.capacity }),
 *     StudentSubscribed: (state) => ({ ...state, taken: state.taken + 1 }),
 *   },
 * });
 * seats('course:c1'); // of this course
 * ```
 */
export function view<Sets extends readonly EventSet[], State>(definition: {
  readonly from: readonly [...Sets];
  readonly initialState: () => State;
  readonly on: {
    readonly [Type in keyof UnionOfSets<Sets>]?: (
      state: NoInfer<State>,
      event: RecordedEventOf<UnionOfSets<Sets>, Type>,
    ) => NoInfer<State>;
  };
}): (...tags: readonly string[]) => View<State> {
  // Erased once, here: the compiler checked the handlers against the declared events at the call.
  const handlers = definition.on as unknown as Record<string, (state: State, event: RecordedEvent) => State>;
  const types = Object.keys(handlers).sort();
  return (...tags) => ({
    kind: 'view',
    filter: { types, ...(tags.length === 0 ? {} : { tags: [...new Set(tags)].sort() }) },
    definition,
    initialState: definition.initialState,
    evolve: (state, event) => {
      const step = Object.hasOwn(handlers, event.type) ? handlers[event.type] : undefined;
      return step === undefined ? state : Object.freeze(step(state, event));
    },
  });
}
