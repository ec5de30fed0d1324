import type { NewEvent, RecordedEvent } from '../core/events.ts';
import type { Projection, RowOf } from '../core/projection.ts';
import type { Upcaster } from '../core/upcast.ts';
import { createFold, type Fold } from '../engine/projecting/fold.ts';
import { createProjector } from '../engine/projecting/projector.ts';
import { assertEqual } from './assert.ts';
import { recordGiven } from './record-given.ts';

/** A test of a projection: given these events, then these rows. */
export interface ProjectionSpec<P extends Projection> {
  /** What has happened on a stream, after what was given before. */
  given(stream: string, ...events: readonly NewEvent[]): ProjectionSpec<P>;
  /** Exactly these rows, by key. */
  thenRows(rows: Readonly<Record<string, RowOf<P>>>): void;
  thenRow(key: string, row: RowOf<P>): void;
  thenNoRow(key: string): void;
}

/**
 * Tests a projection without a log, a worker or a browser, in any runner.
 *
 * The rows are made three times: from all events at once, from one after the other with each delivered twice, and from
 * the saved rows of every step on. A projection that keeps something besides its rows, or reads a clock, differs there.
 *
 * ### Example
 * ```ts
 * projectionSpec(Balances)
 *   .given('account-ada', AccountEvents.Opened({ owner: 'Ada' }), AccountEvents.Deposited({ amount: 10 }))
 *   .thenRows({ ada: { owner: 'Ada', balance: 10 } });
 * ```
 */
export function projectionSpec<P extends Projection>(projection: P): ProjectionSpec<P> {
  function rowsOf(events: readonly RecordedEvent[]): Readonly<Record<string, unknown>> {
    const apply = (fold: Fold, some: readonly RecordedEvent[]) =>
      fold.apply({ events: some, unreadable: [], to: some.at(-1)?.position ?? 0 }, false);
    const all = createFold(projection);
    apply(all, events);
    const [error] = all.left.errors;
    if (error !== undefined) throw new Error(error.text);
    const one = createProjector(knowsAll, [createFold(projection)], 0);
    let restored = createFold(projection);
    for (const event of events) {
      one.apply([event]);
      one.apply([event]);
      restored = createFold(projection, structuredClone(restored.save(true)));
      apply(restored, [event]);
    }
    const rows = [...all.rows];
    const about = `The projection "${projection.name}" makes other rows`;
    const redelivered = one.folds.get(projection.name)?.rows ?? [];
    assertEqual([...redelivered], rows, `${about} where events come one by one and twice`);
    assertEqual([...restored.rows], rows, `${about} where it goes on from saved rows`);
    return Object.fromEntries(rows);
  }

  const startFrom = (events: readonly RecordedEvent[]): ProjectionSpec<P> => ({
    given: (stream, ...more) => {
      const revision = events.filter((event) => event.stream === stream).length;
      const position = events.length + 1;
      const recorded = more.map((event, index) =>
        recordGiven(event, { stream, revision: revision + index, position: position + index, recordedAt: 0 }),
      );
      return startFrom([...events, ...recorded]);
    },
    thenRows: (rows) => assertEqual(rowsOf(events), rows, `The rows of "${projection.name}"`),
    thenRow: (key, row) => assertEqual(rowsOf(events)[key], row, `The row "${key}" of "${projection.name}"`),
    thenNoRow: (key) => assertEqual(rowsOf(events)[key], undefined, `The row "${key}" of "${projection.name}"`),
  });
  return startFrom([]);
}

/** Events that are given are those of the code under test. */
const knowsAll: Upcaster = {
  upcast: (events) => events,
  readable: (events) => events,
  whyUnreadable: () => undefined,
  knows: () => true,
  storedTypes: (types) => types,
};
