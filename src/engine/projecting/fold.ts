import type { UnreadableEvent } from '../../core/errors.ts';
import type { RecordedEvent } from '../../core/events.ts';
import { type Projection, projectionSignature, type RowChange } from '../../core/projection.ts';
import type { Upcaster } from '../../core/upcast.ts';
import type { LogOrder } from '../../log/event-log.ts';
import type { ProjectionSnapshot } from '../../log/snapshot-store.ts';
import type { ProjectionError, UnreadableType } from '../../protocol/engine-api.ts';
import { createUndoJournal, type Place } from './undo-journal.ts';

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
  /**
   * Goes back to a position, at which a commit ends. False, and nothing is changed, where that is too far back: what is
   * confirmed is not undone.
   */
  rewind(to: number): Rewound | false;
  /** The rows are those of now, not a copy; where some of it is pending, those that are confirmed. */
  save(isComplete: boolean): ProjectionSnapshot;
}

/** The changes that took rows back; undefined where changes cannot say it, for the order of the rows is another one. */
export interface Rewound {
  readonly changes: readonly RowChange[] | undefined;
}

/** Events in order of position, sorted by whether this build of the app can read them. */
export interface Page {
  readonly events: readonly RecordedEvent[];
  readonly unreadable: readonly UnreadableEvent[];
  /** Position of the last event. */
  readonly to: number;
  /** Position up to which the order is final; all of it where it is left out. */
  readonly settled?: number;
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

export function toPage(events: readonly RecordedEvent[], upcaster: Upcaster, order: LogOrder): Page {
  const to = events.at(-1)?.position ?? 0;
  const settled = order.confirmed ?? to;
  const readable = upcaster.readable(events);
  if (readable === events) return { events, unreadable: [], to, settled };
  const unreadable = events.flatMap((event) => upcaster.whyUnreadable(event) ?? []);
  return { events: readable, unreadable, to, settled };
}

/** Starts from saved rows of the same signature, or from nothing. */
export function createFold(projection: Projection, saved?: ProjectionSnapshot): Fold {
  const rows = new Map<string, unknown>();
  for (const [key, row] of saved?.rows ?? []) rows.set(key, Object.freeze(row));
  // Saved by `save`, below, of the same signature.
  let { quarantined, errors, unreadable } = (saved?.left as Left | undefined) ?? nothingLeft;
  let position = saved?.upTo ?? 0;
  let settled = position;
  const journal = createUndoJournal(position);
  /** What was left out before each pending event that was left out too, oldest first. */
  let leftBefore: { readonly position: number; readonly left: Left }[] = [];
  const left = (): Left => ({ quarantined, errors, unreadable });

  function quarantine(event: RecordedEvent, error: unknown): void {
    noteLeft(event.position);
    quarantined += 1;
    if (errors.length < maxErrors) errors = [...errors, toProjectionError(projection, event, error)];
  }

  function noteLeft(at: number): void {
    if (at > settled) leftBefore.push({ position: at, left: left() });
  }

  function settle(to: number): void {
    settled = Math.max(settled, to);
    journal.settle(Math.min(settled, position));
    leftBefore = leftBefore.filter((entry) => entry.position > settled);
  }

  function leftAt(to: number): Left {
    return leftBefore.find((entry) => entry.position > to)?.left ?? left();
  }

  return {
    projection,
    rows,
    get position() {
      return position;
    },
    get left() {
      return left();
    },
    apply: (page, isWanted) => {
      const changes = createChanges();
      const final = page.settled ?? page.to;
      settled = Math.max(settled, final);
      // In the order of the log: what was left out before an event is what stands before it.
      let passed = 0;
      const passUnreadable = (before: number) => {
        for (; passed < page.unreadable.length; passed += 1) {
          const event = page.unreadable[passed];
          if (event === undefined || event.position >= before) return;
          noteLeft(event.position);
          unreadable = countUnreadable(unreadable, event);
        }
      };
      for (const event of page.events) {
        passUnreadable(event.position);
        try {
          for (const change of projection.project(event, rows)) {
            if (event.position > settled) journal.note(placeOf(event), change, rows);
            if (change.row === null) rows.delete(change.key);
            else rows.set(change.key, change.row);
            if (isWanted) changes.add(change);
          }
        } catch (error) {
          // The fact is recorded: a handler cannot refuse it. This projection goes on without it, and says so.
          quarantine(event, error);
        }
      }
      passUnreadable(Number.POSITIVE_INFINITY);
      position = page.to;
      settle(final);
      return changes.list;
    },
    rewind: (to) => {
      if (to < journal.since) return false;
      // Also where the rows have not come as far: a server may have gone back behind what it had confirmed.
      settled = Math.min(settled, to);
      if (to >= position) return { changes: [] };
      ({ quarantined, errors, unreadable } = leftAt(to));
      leftBefore = leftBefore.filter((entry) => entry.position <= to);
      const changes = journal.undo(to, rows);
      position = to;
      return { changes };
    },
    save: (isComplete) => {
      // Before the first confirmation all is pending: what is saved then is worth nothing after the first rebase.
      const upTo = settled === 0 ? position : Math.min(position, Math.max(settled, journal.since));
      const saving = leftAt(upTo);
      return {
        projection: projection.name,
        signature: snapshotSignature(projection, isComplete),
        upTo,
        isComplete,
        rows: [...journal.rowsAt(upTo, rows)],
        ...(saving.quarantined + saving.unreadable.length === 0 ? {} : { left: saving }),
      };
    },
  };
}

/** What rows are saved under. Those that are still being built stand beside complete ones of the same projection. */
export function snapshotSignature(projection: Projection, isComplete: boolean): string {
  return `${projectionSignature(projection)}${isComplete ? '' : ' unfinished'}`;
}

/** The id of an event tells its place in its commit. */
function placeOf({ id, position, meta }: RecordedEvent): Place {
  return { position, commitStart: position - Number(id.slice(meta.commandId.length + 1)) };
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
