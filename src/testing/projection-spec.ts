import { defineApp } from '../core/app.ts';
import type { NewEvent, RecordedEvent } from '../core/events.ts';
import type { Projection, RowOf } from '../core/projection.ts';
import { createProjector } from '../engine/projector.ts';
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
  const app = defineApp({ name: 'projectionSpec', aggregates: [], projections: [projection] });

  function rowsOf(events: readonly RecordedEvent[]): Readonly<Record<string, unknown>> {
    const all = createProjector(app);
    all.apply(events);
    const [error] = all.errors;
    if (error !== undefined) throw new Error(error.text);
    const rows = [...(all.rowsOf(projection.name) ?? [])];
    const redelivered = createProjector(app);
    let restored = createProjector(app);
    for (const event of events) {
      redelivered.apply([event]);
      redelivered.apply([event]);
      const next = createProjector(app);
      next.restore(restored.position, structuredClone(restored.save()));
      next.apply([event]);
      restored = next;
    }
    const about = `The projection "${projection.name}" makes other rows`;
    assertEqual(
      [...(redelivered.rowsOf(projection.name) ?? [])],
      rows,
      `${about} where events come one by one and twice`,
    );
    assertEqual([...(restored.rowsOf(projection.name) ?? [])], rows, `${about} where it goes on from saved rows`);
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
