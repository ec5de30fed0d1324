import type { RecordedEvent } from '../../core/events.ts';
import type { RowChange } from '../../core/projection.ts';
import type { Upcaster } from '../../core/upcast.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Patch } from '../../protocol/engine-api.ts';
import { type Fold, toPage } from './fold.ts';

/** Projections that stand at the same position of the log, and move on together. */
export interface Projector {
  /** Position of the last event that is in the rows. */
  readonly position: number;
  readonly folds: ReadonlyMap<string, Fold>;
  /**
   * Takes events in order; those already in the rows are passed over.
   *
   * @returns the row changes of the projections that are wanted, or undefined where events before these are missing.
   */
  apply(events: readonly RecordedEvent[], isWanted?: (projection: string) => boolean): Patch | undefined;
  /**
   * Goes back to a position, where the rows were taken from a log that has another order now.
   *
   * @returns the row changes of each projection (undefined where only new rows say it), and those that cannot go back:
   * they are taken out.
   */
  rewind(to: number): {
    readonly changes: ReadonlyMap<string, readonly RowChange[] | undefined>;
    readonly lost: readonly Fold[];
  };
  /** Adds a fold that stands at the same position, in the place of one of its name. */
  take(fold: Fold): void;
}

/** `log`: how final its order is; all of it is where it is left out. */
export function createProjector(
  upcaster: Upcaster,
  folds: readonly Fold[],
  startPosition: number,
  log: Pick<EventLog, 'order'> = final,
): Projector {
  const foldByName = new Map(folds.map((fold) => [fold.projection.name, fold]));
  let position = startPosition;
  return {
    folds: foldByName,
    get position() {
      return position;
    },
    apply: (events, isWanted = () => true) => {
      const fresh =
        (events[0]?.position ?? 0) > position ? events : events.filter((event) => event.position > position);
      const [first] = fresh;
      if (first !== undefined && first.position !== position + 1) return undefined;
      const changes: Record<string, readonly RowChange[]> = {};
      const from = position;
      if (first !== undefined) {
        const page = toPage(fresh, upcaster, log.order);
        position = page.to;
        for (const [name, fold] of foldByName) {
          const wanted = isWanted(name);
          const own = fold.apply(page, wanted);
          if (wanted) changes[name] = own;
        }
      }
      return { type: 'patch', from, to: position, changes };
    },
    rewind: (to) => {
      const changes = new Map<string, readonly RowChange[] | undefined>();
      const lost: Fold[] = [];
      for (const [name, fold] of foldByName) {
        const rewound = fold.rewind(to);
        if (rewound === false) {
          foldByName.delete(name);
          lost.push(fold);
        } else changes.set(name, rewound.changes);
      }
      position = Math.min(position, to);
      return { changes, lost };
    },
    take: (fold) => {
      if (fold.position !== position) {
        throw new Error(`The projection "${fold.projection.name}" is at ${fold.position}, the others at ${position}.`);
      }
      foldByName.set(fold.projection.name, fold);
    },
  };
}

const final: Pick<EventLog, 'order'> = { order: { confirmed: undefined, rebases: 0 } };
