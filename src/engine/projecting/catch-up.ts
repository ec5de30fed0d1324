import type { RecordedEvent } from '../../core/events.ts';
import type { RowChange } from '../../core/projection.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Patch } from '../../protocol/engine-api.ts';
import type { Fold } from './fold.ts';
import type { Projector } from './projector.ts';

/** Keeps the projector up with the log, whoever appended to it. */
export interface CatchUp {
  /** Takes what this worker just appended; reads the log where other tabs appended in between. */
  advance(appended: readonly RecordedEvent[]): Promise<void>;
  /**
   * Goes back to a position behind which the log has another order now. What is published next takes the rows there and
   * on in one step. @returns the folds that cannot go back.
   */
  rewind(to: number): readonly Fold[];
  /** Reads the log to its end. Resolves when everything that was in it at the call is in the rows. */
  toHead(): Promise<void>;
}

/** Rows that went back and were not published yet. */
interface Undone {
  /** Where the rows stood that were published last. */
  readonly from: number;
  /** By projection; undefined where only new rows say it. */
  readonly changes: Map<string, readonly RowChange[] | undefined>;
}

/**
 * `isWanted`: the projections whose row changes `publish` is to get, with the events that made them. `renew` is told of
 * those whose rows have to be published anew, once they have caught up.
 */
export function createCatchUp({
  log,
  projector,
  isWanted,
  publish,
  renew,
}: {
  readonly log: EventLog;
  readonly projector: Projector;
  readonly isWanted: (projection: string) => boolean;
  readonly publish: (patch: Patch, events: readonly RecordedEvent[]) => void;
  readonly renew: (projections: readonly string[]) => void;
}): CatchUp {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let undone: Undone | undefined;

  function apply(events: readonly RecordedEvent[]): boolean {
    const patch = projector.apply(events, isWanted);
    if (patch === undefined) return false;
    if (undone !== undefined) publishRebased(undone, patch, events);
    else if (patch.to > patch.from) publish(patch, events);
    return true;
  }

  /** A page never sees what is pending go and come back. */
  function publishRebased({ from, changes }: Undone, patch: Patch, events: readonly RecordedEvent[]): void {
    undone = undefined;
    const wanted = [...changes].filter(([name]) => isWanted(name));
    const joined = wanted.flatMap(([name, back]) =>
      back === undefined ? [] : [[name, [...back, ...(patch.changes[name] ?? [])]] as const],
    );
    publish({ ...patch, from, changes: Object.fromEntries(joined), isRebase: true }, events);
    // Those that were built anew meanwhile never stood where the rows stood that were published last.
    const built = Object.keys(patch.changes).filter((name) => !changes.has(name));
    const renewed = [...wanted.flatMap(([name, back]) => (back === undefined ? [name] : [])), ...built];
    if (renewed.length > 0) renew(renewed);
  }

  async function readToEnd(): Promise<void> {
    for (let isStale = true; isStale; ) {
      const { rebases } = log.order;
      // Pages that `advance` overtakes meanwhile are passed over by the projector.
      for await (const page of log.read({ from: projector.position + 1 })) {
        // Read before what is pending was put into another order, or after: begun again from where the rows are now.
        if (log.order.rebases !== rebases) break;
        apply(page);
      }
      isStale = log.order.rebases !== rebases;
    }
    if (undone !== undefined) apply([]);
  }

  /** One reader at a time; a call during a read waits for the next one, which sees all that was there at the call. */
  function toHead(): Promise<void> {
    if (running === undefined) {
      running = readToEnd().finally(() => {
        running = undefined;
      });
      return running;
    }
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return toHead();
      });
    return next;
  }

  return {
    advance: async (appended) => {
      if (appended.length > 0 && !apply(appended)) await toHead();
    },
    rewind: (to) => {
      const { position } = projector;
      const { changes, lost } = projector.rewind(to);
      if (undone === undefined) undone = { from: position, changes: new Map(changes) };
      else {
        for (const [name, more] of changes) {
          const before = undone.changes.has(name) ? undone.changes.get(name) : [];
          undone.changes.set(name, before && more && [...before, ...more]);
        }
      }
      for (const { projection } of lost) undone.changes.delete(projection.name);
      return lost;
    },
    toHead,
  };
}
