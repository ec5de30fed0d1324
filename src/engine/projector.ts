import type { App } from '../core/app.ts';
import type { RecordedEvent } from '../core/events.ts';
import type { Projection, RowChange } from '../core/projection.ts';
import type { Patch, ProjectionError } from '../protocol/engine-api.ts';

/** Folds recorded events into the rows of every projection, in order of position, each event once. */
export interface Projector {
  /** Position of the last event that is in the rows. */
  readonly position: number;
  readonly errors: readonly ProjectionError[];
  /**
   * Takes events in order; those already in the rows are passed over.
   *
   * @returns the row changes of every projection, or undefined where events before these are missing.
   */
  apply(events: readonly RecordedEvent[]): Patch | undefined;
  rowsOf(projection: string): ReadonlyMap<string, unknown> | undefined;
}

export function createProjector(app: App): Projector {
  const rowsByProjection = new Map<string, Map<string, unknown>>();
  for (const name of app.projections.keys()) rowsByProjection.set(name, new Map());
  const errors = new Map<string, ProjectionError>();
  let position = 0;

  function applyTo(projection: Projection, events: readonly RecordedEvent[]): readonly RowChange[] {
    const rows = rowsByProjection.get(projection.name) ?? new Map<string, unknown>();
    const changes = createChanges();
    for (const event of events) {
      try {
        for (const change of projection.project(event, (key) => rows.get(key))) {
          if (change.row === null) rows.delete(change.key);
          else rows.set(change.key, change.row);
          changes.add(change);
        }
      } catch (error) {
        // The fact is recorded: a handler cannot refuse it. This projection goes on without it, and says so.
        if (!errors.has(projection.name)) errors.set(projection.name, toProjectionError(projection, event, error));
      }
    }
    return changes.list;
  }

  return {
    get position() {
      return position;
    },
    get errors() {
      return [...errors.values()];
    },
    apply: (events) => {
      const fresh = events.filter((event) => event.position > position);
      const [first] = fresh;
      if (first !== undefined && first.position !== position + 1) return undefined;
      const changes: Record<string, readonly RowChange[]> = {};
      for (const projection of app.projections.values()) changes[projection.name] = applyTo(projection, fresh);
      const from = position;
      position += fresh.length;
      return { type: 'patch', from, to: position, changes };
    },
    rowsOf: (projection) => rowsByProjection.get(projection),
  };
}

/** Collects changes, one per key. A row that was deleted and made anew keeps both, so that its place in the order is the same everywhere. */
function createChanges() {
  const list: RowChange[] = [];
  const placeByKey = new Map<string, number>();
  return {
    list,
    add: (change: RowChange) => {
      const place = placeByKey.get(change.key);
      if (place !== undefined && (change.row === null || list[place]?.row !== null)) list[place] = change;
      else placeByKey.set(change.key, list.push(change) - 1);
    },
  };
}

function toProjectionError(projection: Projection, event: RecordedEvent, error: unknown): ProjectionError {
  return {
    projection: projection.name,
    position: event.position,
    eventType: event.type,
    text:
      `The projection "${projection.name}" threw on the "${event.type}" event at position ${event.position}: ${String(error)}. ` +
      'The event was left out of this projection; the event itself and the other projections are not affected. Mend the handler and raise the projection’s version.',
  };
}
