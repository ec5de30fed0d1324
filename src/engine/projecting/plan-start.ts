import type { App } from '../../core/app.ts';
import type { Projection } from '../../core/projection.ts';
import type { Upcaster } from '../../core/upcast.ts';
import type { ProjectionSnapshot } from '../../log/snapshot-store.ts';
import { createFold, type Fold, type Left, snapshotSignature } from './fold.ts';

/** Rows to be shown, and where they stand. */
export interface ShownRows {
  readonly rows: ReadonlyMap<string, unknown>;
  readonly position: number;
  /** Whether newer ones are being built beside: these do not move any more. */
  readonly isBehind: boolean;
}

/** What a start does with the rows that were saved. */
export interface StartPlan {
  /** Shown once they have caught up with the log: all at `position`. */
  readonly shown: readonly Fold[];
  readonly position: number;
  /** Shown, as they are, until others are built: by projection. */
  readonly behind: ReadonlyMap<string, ShownRows>;
  /** Built beside, those that stand at the same position in one go. */
  readonly builds: readonly { readonly from: number; readonly folds: readonly Fold[] }[];
}

/**
 * Rows that were saved of the same projection are shown; of one that was changed, the old rows are shown while new ones
 * are built, where the projection's row schema accepts them: the app's code was written for the new ones.
 *
 * A projection that had to leave out what it may now be able to read is built anew: a mended handler heals by itself.
 */
export function planStart(app: App, upcaster: Upcaster, saved: readonly ProjectionSnapshot[], head: number): StartPlan {
  const found = [...app.projections.values()].map((projection) => {
    const signature = snapshotSignature(projection, true);
    const own = saved.filter((snapshot) => snapshot.projection === projection.name);
    return {
      projection,
      complete: own.find((snapshot) => snapshot.isComplete && snapshot.signature === signature),
      partial: own.find((snapshot) => snapshot.signature === snapshotSignature(projection, false)),
      older: own.find((snapshot) => snapshot.isComplete && snapshot.signature !== signature),
    };
  });
  const positions = found.flatMap(({ complete }) => complete?.upTo ?? []);
  // Where nothing was saved, nothing is shown before it is built: commands need not wait for that.
  const position = positions.length === 0 ? head : Math.max(...positions);
  const shown: Fold[] = [];
  const behind = new Map<string, ShownRows>();
  const foldsByStart = new Map<number, Fold[]>();
  const build = (fold: Fold) => {
    const { position: from } = fold;
    foldsByStart.set(from, [...(foldsByStart.get(from) ?? []), fold]);
  };
  for (const { projection, complete, partial, older } of found) {
    const unfinished = partial && !canHeal(upcaster, partial) ? partial : undefined;
    if (complete?.upTo === position) {
      shown.push(createFold(projection, complete));
      if (canHeal(upcaster, complete)) build(createFold(projection, unfinished));
      continue;
    }
    if (complete !== undefined) behind.set(projection.name, toBehind(complete, complete.rows));
    else if (older !== undefined) {
      const rows = acceptedRows(projection, older);
      if (rows !== undefined) behind.set(projection.name, toBehind(older, rows));
    }
    build(createFold(projection, complete && !canHeal(upcaster, complete) ? complete : unfinished));
  }
  return { shown, position, behind, builds: [...foldsByStart].map(([from, folds]) => ({ from, folds })) };
}

function toBehind({ upTo }: ProjectionSnapshot, rows: ProjectionSnapshot['rows']): ShownRows {
  return { rows: new Map(rows), position: upTo, isBehind: true };
}

function canHeal({ knows }: Upcaster, { left }: ProjectionSnapshot): boolean {
  if (left === undefined) return false;
  // Saved by a fold of the same signature.
  const { quarantined, unreadable } = left as Left;
  return quarantined > 0 || unreadable.some(({ eventType, version }) => knows(eventType, version));
}

/** The rows of an older definition, as the schema of the newer gives them; undefined where it refuses one, or cannot tell. */
function acceptedRows(
  { parseRow }: Projection,
  { rows }: ProjectionSnapshot,
): readonly (readonly [string, unknown])[] | undefined {
  const accepted: (readonly [string, unknown])[] = [];
  try {
    for (const [key, row] of rows) {
      const parsed = parseRow(row);
      if (parsed === undefined || !parsed.ok) return undefined;
      accepted.push([key, Object.freeze(parsed.value)]);
    }
  } catch {
    // Made for the new rows, it may throw on an old one: that must not end the start, now and at every reload.
    return undefined;
  }
  return accepted;
}
