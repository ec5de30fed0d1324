import type { Decided } from '../core/aggregate.ts';
import type { NewEvent } from '../core/events.ts';
import { toCanonicalJson } from '../core/json.ts';
import type { reject } from '../core/rejection.ts';
import { assertEqual } from './assert.ts';

/** What came of it. Each method throws, with both sides in the message, where it was something else. */
export interface Outcome<Rejected, State = unknown> {
  /** Exactly these events, in this order. */
  then(...events: readonly NewEvent[]): void;
  /** Accepted, and nothing to be stored. */
  thenNothing(): void;
  /** Rejected with this code; with these details, where some are given. */
  thenRejected(code: RejectionCode<Rejected>, details?: unknown): void;
  /** The stream's state after the decided events; of a decision across streams, the states of its views by name. */
  thenState(state: State): void;
}

/** Every command may be rejected for input that does not fit its schema. */
type RejectionCode<Rejected> = (Rejected extends { readonly code: infer Code } ? Code : never) | 'invalid-input';

/** A decision that was made: what was answered, the events in it, and the state after them. */
export interface Made {
  readonly answer: Decided;
  readonly decided: readonly NewEvent[] | undefined;
  readonly state: unknown;
}

export function toOutcome<Rejected>(decision: Made, about: string): Outcome<Rejected> {
  return {
    // biome-ignore lint/suspicious/noThenProperty: given, when, then is the sentence; nobody awaits an outcome
    then: (...events) => {
      requireAccepted(decision.answer, about);
      assertEqual((decision.decided ?? []).map(toComparable), events.map(toComparable), about);
    },
    thenNothing: () => {
      requireAccepted(decision.answer, about);
      assertEqual((decision.decided ?? []).map(toComparable), [], about);
    },
    thenRejected: (code, details) => {
      if (decision.decided !== undefined) {
        throw new Error(
          `${about} was expected to be rejected with "${code}", but decided ${listTypes(decision.decided)}.`,
        );
      }
      const { code: actual, details: actualDetails } = decision.answer as ReturnType<typeof reject>;
      assertEqual(actual, code, `${about} was rejected`);
      if (details !== undefined) assertEqual(actualDetails, details, `${about} was rejected with "${code}"`);
    },
    thenState: (state) => assertEqual(decision.state, state, `${about}: the state`),
  };
}

/** Undefined where it is a rejection. */
export function toEvents(decision: Decided): readonly NewEvent[] | undefined {
  if ('kind' in decision) return undefined;
  return 'type' in decision ? [decision] : decision;
}

/** A log would refuse it later, and nothing of the command would be saved. */
export function requireStorable(events: readonly NewEvent[], who: string): void {
  for (const { type, data } of events) {
    const canonical = toCanonicalJson(data);
    if ('problem' in canonical) {
      throw new Error(`${who} decided an event "${type}" that cannot be stored: ${canonical.problem}.`);
    }
  }
}

function requireAccepted(decision: Decided, about: string): void {
  if (!('kind' in decision)) return;
  const details = decision.details === undefined ? '' : ` ${JSON.stringify(decision.details)}`;
  throw new Error(`${about} was expected to be accepted, but was rejected with "${decision.code}"${details}.`);
}

/** Tags in any order, each once: as the log stores them. */
function toComparable({ type, data, tags = [] }: NewEvent): unknown {
  return { type, data, tags: [...new Set(tags)].sort() };
}

export function listTypes(events: readonly NewEvent[]): string {
  return events.length === 0 ? 'no event' : events.map(({ type }) => type).join(', ');
}

/** Ids that count up: the same in every run. */
export function countIds(): () => string {
  let lastId = 0;
  return () => {
    lastId += 1;
    return `id-${lastId}`;
  };
}
