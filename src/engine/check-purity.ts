import type { Aggregate, DecideContext } from '../core/aggregate.ts';
import type { App } from '../core/app.ts';
import type { Decision } from '../core/decision.ts';
import type { Process } from '../core/process.ts';
import type { Projection } from '../core/projection.ts';
import { valueToText } from './value-to-text.ts';

/**
 * The same app, whose rules are run twice: a `decide` or a projection that reads a clock or draws a number, keeps
 * something of its own, or changes what it was given, throws here, and not on a customer's second device.
 *
 * For development: it takes twice the time.
 */
export function checkPurity(app: App): App {
  return {
    ...app,
    aggregates: mapValues(app.aggregates, checkAggregate),
    decisions: mapValues(app.decisions, checkDecision),
    projections: mapValues(app.projections, checkProjection),
    consumers: mapValues(app.consumers, (consumer) =>
      consumer.kind === 'process' ? checkProcess(consumer) : consumer,
    ),
  };
}

function checkAggregate(aggregate: Aggregate): Aggregate {
  return {
    ...aggregate,
    decide: (command, input, state, context) => {
      const who = `The command "${command}" of "${aggregate.name}"`;
      return runTwice(who, state, context, (replayed) => aggregate.decide(command, input, state, replayed));
    },
  };
}

function checkDecision(decision: Decision): Decision {
  return {
    ...decision,
    decide: (input, states, context) =>
      runTwice(`The decision "${decision.name}"`, states, context, (replayed) =>
        decision.decide(input, states, replayed),
      ),
  };
}

/** Events of a projection that are folded twice: a long log is not folded slowly from end to end. */
const maxChecked = 10_000;

function checkProjection(projection: Projection): Projection {
  let checked = 0;
  return {
    ...projection,
    project: (event, rows) => {
      const first = projection.project(event, rows);
      checked += 1;
      if (checked > maxChecked) return first;
      const who = `The projection "${projection.name}", on "${event.type}" at position ${event.position},`;
      requireSame(`${who} gave other rows the second time`, projection.project(event, rows), first);
      return first;
    },
  };
}

function checkProcess(process: Process): Process {
  const who = `The process "${process.name}"`;
  const runTwice = <Answer>(on: string, run: () => Answer): Answer => {
    const first = run();
    requireSame(`${who} answered otherwise the second time, ${on}`, run(), first);
    return first;
  };
  return {
    ...process,
    onEvent: (state, event, context) =>
      runTwice(`on "${event.type}" at position ${event.position}`, () => process.onEvent(state, event, context)),
    onDeadline: (name, state, context) =>
      runTwice(`at the deadline "${name}"`, () => process.onDeadline(name, state, context)),
    onRejected: (state, rejected, context) =>
      runTwice(`on a rejection of "${rejected.command.name}"`, () => process.onRejected(state, rejected, context)),
  };
}

/** Ids that the first run drew are drawn again by the second. */
function runTwice<Answer>(
  who: string,
  state: unknown,
  context: DecideContext,
  run: (context: DecideContext) => Answer,
): Answer {
  const ids: string[] = [];
  const before = valueToText(state);
  const answer = run({
    ...context,
    newId: () => {
      const id = context.newId();
      ids.push(id);
      return id;
    },
  });
  let drawn = 0;
  const again = run({
    ...context,
    newId: () => {
      drawn += 1;
      return ids[drawn - 1] ?? context.newId();
    },
  });
  requireSame(`${who} decided otherwise the second time`, again, answer);
  if (valueToText(state) !== before)
    throw new Error(`${who} changed the state that it decided on. Return events instead.`);
  return answer;
}

function requireSame(problem: string, again: unknown, first: unknown): void {
  if (valueToText(again) === valueToText(first)) return;
  throw new Error(
    `${problem}. First: ${valueToText(first)}. Then: ${valueToText(again)}. It must be made of its arguments alone: take the time and new ids from the context, and keep nothing besides.`,
  );
}

function mapValues<Value>(
  map: ReadonlyMap<string, Value>,
  change: (value: Value) => Value,
): ReadonlyMap<string, Value> {
  return new Map([...map].map(([key, value]) => [key, change(value)]));
}
