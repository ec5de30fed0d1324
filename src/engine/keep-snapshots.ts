import type { EventLog } from '../log/event-log.ts';
import type { Projector } from './projector.ts';

/** Saves the rows now and then, so that the next start folds only what came after. */
export interface SnapshotKeeper {
  /** Starts the projector from what was saved, if it fits. */
  restore(): Promise<void>;
  /** Called when the rows have moved on. */
  note(): void;
  /** Saves what is not saved yet: the page is being left. */
  saveNow(): Promise<void>;
  close(): void;
}

/** Events after which the rows are saved: some ten milliseconds of folding at the next start. */
const saveEvery = 5_000;

/** How long the saving waits, so that a start shows its first rows before. */
const saveDelayMs = 500;

export function keepSnapshots({ snapshots }: EventLog, projector: Projector): SnapshotKeeper {
  let saved = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function saveNow(): Promise<void> {
    const position = projector.position;
    if (position === saved) return;
    // A cache: where it cannot be written, the next start folds more. What fails for good, an append tells too.
    const done = await snapshots.saveProjections(position, projector.save()).catch(() => true);
    if (done) saved = position;
  }

  return {
    restore: async () => {
      const loaded = await snapshots.loadProjections().catch(() => undefined);
      if (loaded !== undefined && projector.restore(loaded.upTo, loaded.snapshots)) saved = loaded.upTo;
    },
    note: () => {
      if (timer !== undefined || projector.position - saved < saveEvery) return;
      timer = setTimeout(() => {
        timer = undefined;
        void saveNow();
      }, saveDelayMs);
    },
    saveNow,
    close: () => clearTimeout(timer),
  };
}
