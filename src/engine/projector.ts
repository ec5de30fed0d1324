import type { App } from '../core/app.ts';
import type { RecordedEvent } from '../core/events.ts';
import { type Projection, projectionSignature, type RowChange } from '../core/projection.ts';
import type { ProjectionSnapshot } from '../log/snapshot-store.ts';
import type { Patch, ProjectionError } from '../protocol/engine-api.ts';

/** Folds recorded events into the rows of every projection, in order of position, each event once. */
export interface Projector {
  /** Position of the last event that is in the rows. */
  readonly position: number;
  readonly errors: readonly ProjectionError[];
  /**
   * Takes events in order; those already in the rows are passed over.
   *
   * @returns the row changes of the projections that are wanted, or undefined where events before these are missing.
   */
  apply(events: readonly RecordedEvent[], isWanted?: (projection: string) => boolean): Patch | undefined;
  rowsOf(projection: string): ReadonlyMap<string, unknown> | undefined;
  /** What `restore` takes; the rows are those of now, not a copy. */
  save(): readonly ProjectionSnapshot[];
  /** Starts from saved rows. @returns false, and changes nothing, where any projection has none that fit. */
  restore(position: number, snapshots: readonly ProjectionSnapshot[]): boolean;
  /** Forgets all rows: the next events are the first. */
  reset(): void;
}

export function createProjector(app: App): Projector {
  const rowsByProjection = new Map<string, Map<string, unknown>>();
  for (const name of app.projections.keys()) rowsByProjection.set(name, new Map());
  const errors = new Map<string, ProjectionError>();
  let position = 0;

  function applyTo(projection: Projection, events: readonly RecordedEvent[], isWanted: boolean): readonly RowChange[] {
    const rows = rowsByProjection.get(projection.name) ?? new Map<string, unknown>();
    const changes = createChanges();
    for (const event of events) {
      try {
        for (const change of projection.project(event, (key) => rows.get(key))) {
          if (change.row === null) rows.delete(change.key);
          else rows.set(change.key, change.row);
          if (isWanted) changes.add(change);
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
    apply: (events, isWanted = () => true) => {
      const fresh =
        (events[0]?.position ?? 0) > position ? events : events.filter((event) => event.position > position);
      const [first] = fresh;
      if (first !== undefined && first.position !== position + 1) return undefined;
      const changes: Record<string, readonly RowChange[]> = {};
      for (const projection of app.projections.values()) {
        const wanted = isWanted(projection.name);
        const own = applyTo(projection, fresh, wanted);
        if (wanted) changes[projection.name] = own;
      }
      const from = position;
      position += fresh.length;
      return { type: 'patch', from, to: position, changes };
    },
    rowsOf: (projection) => rowsByProjection.get(projection),
    save: () =>
      [...app.projections.values()].map((projection) => ({
        projection: projection.name,
        signature: projectionSignature(projection),
        rows: [...(rowsByProjection.get(projection.name) ?? [])],
        ...(errors.has(projection.name) ? { error: errors.get(projection.name) } : {}),
      })),
    restore: (to, snapshots) => {
      const byName = new Map(snapshots.map((snapshot) => [snapshot.projection, snapshot]));
      for (const projection of app.projections.values()) {
        if (byName.get(projection.name)?.signature !== projectionSignature(projection)) return false;
      }
      for (const name of app.projections.keys()) {
        const { rows = [], error } = byName.get(name) ?? {};
        rowsByProjection.set(name, new Map(rows.map(([key, row]) => [key, Object.freeze(row)])));
        // Saved by `save`, above, of the same signature.
        if (error !== undefined) errors.set(name, error as ProjectionError);
      }
      position = to;
      return true;
    },
    reset: () => {
      for (const rows of rowsByProjection.values()) rows.clear();
      errors.clear();
      position = 0;
    },
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
