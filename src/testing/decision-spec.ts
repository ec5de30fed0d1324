import type { Decision, DecisionInput, DecisionRejection } from '../core/decision.ts';
import { matchesFilter } from '../core/event-query.ts';
import type { NewEvent, OptionalData } from '../core/events.ts';
import { reject } from '../core/rejection.ts';
import { assertEqual } from './assert.ts';
import { countIds, listTypes, type Made, type Outcome, requireStorable, toEvents, toOutcome } from './outcome.ts';
import { recordGiven } from './record-given.ts';
import type { SpecOptions } from './spec.ts';

/** A test of a decision across streams: given these events, when this input, then that. */
export interface DecisionSpec<D extends Decision> {
  /** What has happened before, oldest first, in any streams; views find it by its tags. */
  given(...events: readonly NewEvent[]): DecisionSpec<D>;
  /** `thenState` gets the states of the views, by name, after the decided events. */
  when(...input: OptionalData<DecisionInput<D>>): Outcome<DecisionRejection<D>>;
}

/**
 * Tests a decision across streams without a log, a worker or a browser, in any runner; twice, as `spec` does.
 *
 * ### Example
 * ```ts
 * decisionSpec(subscribe)
 *   .given(CourseEvents.CourseDefined({ course: 'c1', capacity: 0 }, ['course:c1']))
 *   .when({ course: 'c1', student: 'ada' })
 *   .thenRejected('course-full');
 * ```
 */
export function decisionSpec<D extends Decision>(
  decision: D,
  { id = '1', now = 0 }: SpecOptions = {},
): DecisionSpec<D> {
  function foldViews(events: readonly NewEvent[], input: unknown): Readonly<Record<string, unknown>> {
    const recorded = events.map((event, index) =>
      recordGiven(event, { stream: 'given-1', revision: index, position: index + 1, recordedAt: now }),
    );
    return Object.fromEntries(
      Object.entries(decision.reads(input)).map(([name, view]) => [
        name,
        recorded
          .filter((event) => matchesFilter(event, view.filter))
          .reduce((state, event) => view.evolve(state, event), view.initialState()),
      ]),
    );
  }

  function decideOnce(given: readonly NewEvent[], input: unknown): Made {
    const parsed = decision.parseInput(input);
    if (!parsed.ok) {
      return { answer: reject('invalid-input', { issues: parsed.issues }), decided: undefined, state: undefined };
    }
    const states = foldViews(given, parsed.value);
    const before = structuredClone(states);
    const answer = decision.decide(parsed.value, states, { id, now, newId: countIds() });
    const who = `The decision "${decision.name}"`;
    assertEqual(states, before, `${who} changed the states that it decided on`);
    const decided = toEvents(answer);
    requireStorable(decided ?? [], who);
    return { answer, decided, state: foldViews([...given, ...(decided ?? [])], parsed.value) };
  }

  const startFrom = (given: readonly NewEvent[]): DecisionSpec<D> => ({
    given: (...events) => startFrom([...given, ...events]),
    when: (...[input = {}]) => {
      const about = `The decision "${decision.name}" after ${listTypes(given)}`;
      const made = decideOnce(given, input);
      assertEqual(decideOnce(given, input), made, `${about} decided otherwise the second time`);
      return toOutcome(made, about);
    },
  });
  return startFrom([]);
}
