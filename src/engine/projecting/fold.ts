import type { UnreadableEvent } from '../../core/errors.ts';
import type { RecordedEvent } from '../../core/events.ts';
import { type Projection, projectionSignature, type RowChange } from '../../core/projection.ts';
import type { Upcaster } from '../../core/upcast.ts';
import type { ProjectionSnapshot } from '../../log/snapshot-store.ts';
import type { ProjectionError, UnreadableType } from '../../protocol/engine-api.ts';

/** The rows of one projection at one position of the log. */
export interface Fold {
  readonly projection: Projection;
  /** Position of the last event that is in the rows. */
  readonly position: number;
  readonly rows: ReadonlyMap<string, unknown>;
  /** What was left out of the rows. */
  readonly left: Left;
  /** Takes the events that follow. @returns the row changes, one per key, where they are wanted. */
  apply(page: Page, isWanted: boolean): readonly RowChange[];
  /** The rows are those of now, not a copy. */
  save(isComplete: boolean): ProjectionSnapshot;
}

/** Events in order of position, sorted by whether this build of the app can read them. */
export interface Page {
  readonly events: readonly RecordedEvent[];
  readonly unreadable: readonly UnreadableEvent[];
  /** Position of the last event. */
  readonly to: number;
}

/** What a projection had to leave out: plain data, saved with its rows. */
export interface Left {
  /** How many events its handlers threw on. */
  readonly quarantined: number;
  /** Of the first of them. */
  readonly errors: readonly ProjectionError[];
  readonly unreadable: readonly UnreadableType[];
}

/** Quarantined events that are told one by one. */
const maxErrors = 20;

export function toPage(events: readonly RecordedEvent[], upcaster: Upcaster): Page {
  const to = events.at(-1)?.position ?? 0;
  const readable = upcaster.readable(events);
  if (readable === events) return { events, unreadable: [], to };
  return { events: readable, unreadable: events.flatMap((event) => upcaster.whyUnreadable(event) ?? []), to };
}

/** Starts from saved rows of the same signature, or from nothing. */
export function createFold(projection: Projection, saved?: ProjectionSnapshot): Fold {
  const rows = new Map<string, unknown>();
  for (const [key, row] of saved?.rows ?? []) rows.set(key, Object.freeze(row));
  // Saved by `save`, below, of the same signature.
  let { quarantined, errors, unreadable } = (saved?.left as Left | undefined) ?? nothingLeft;
  let position = saved?.upTo ?? 0;

  function quarantine(event: RecordedEvent, error: unknown): void {
    quarantined += 1;
    if (errors.length < maxErrors) errors = [...errors, toProjectionError(projection, event, error)];
  }

  return {
    projection,
    rows,
    get position() {
      return position;
    },
    get left() {
      return { quarantined, errors, unreadable };
    },
    apply: (page, isWanted) => {
      const changes = createChanges();
      for (const event of page.events) {
        try {
          for (const change of projection.project(event, rows)) {
            if (change.row === null) rows.delete(change.key);
            else rows.set(change.key, change.row);
            if (isWanted) changes.add(change);
          }
        } catch (error) {
          // The fact is recorded: a handler cannot refuse it. This projection goes on without it, and says so.
          quarantine(event, error);
        }
      }
      for (const event of page.unreadable) unreadable = countUnreadable(unreadable, event);
      position = page.to;
      return changes.list;
    },
    save: (isComplete) => ({
      projection: projection.name,
      signature: snapshotSignature(projection, isComplete),
      upTo: position,
      isComplete,
      rows: [...rows],
      ...(quarantined + unreadable.length === 0 ? {} : { left: { quarantined, errors, unreadable } satisfies Left }),
    }),
  };
}

/** What rows are saved under. Those that are still being built stand beside complete ones of the same projection. */
export function snapshotSignature(projection: Projection, isComplete: boolean): string {
  return `${projectionSignature(projection)}${isComplete ? '' : ' unfinished'}`;
}

const nothingLeft: Left = { quarantined: 0, errors: [], unreadable: [] };

function countUnreadable(
  list: readonly UnreadableType[],
  { eventType, version, text }: UnreadableEvent,
): readonly UnreadableType[] {
  const found = list.find((entry) => entry.eventType === eventType && entry.version === version);
  if (found === undefined) return [...list, { eventType, version, count: 1, text }];
  return list.map((entry) => (entry === found ? { ...entry, count: entry.count + 1 } : entry));
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
      'The event was left out of this projection; the event itself and the other projections are not affected. Mend the handler: the rows are then built anew at the next start, or by `rebuild`.',
  };
}
