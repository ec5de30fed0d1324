import type { RecordedEvent } from '../../core/events.ts';
import type { Upcaster } from '../../core/upcast.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Fold } from './fold.ts';
import { nextTurn } from './next-turn.ts';
import { createProjector, type Projector } from './projector.ts';

/** Folds that are built from the log beside the rows that are shown, until they have come as far and take their place. */
export interface Build {
  /** Position of the last event that is in the rows. */
  readonly position: number;
  readonly folds: ReadonlyMap<string, Fold>;
  /** Reads until it has come as far as what is shown. Throws what reading throws; may then be called again. */
  run(): Promise<void>;
  /**
   * Goes back to a position behind which the log has another order now. False where it cannot: it does nothing more then,
   * and has to be begun anew.
   */
  rewind(to: number): boolean;
  /** Is handed what is shown as it moves on. */
  follow(events: readonly RecordedEvent[]): void;
}

/** How often rows that are being built are saved, so that a page that is left in the middle goes on from there. */
const saveIntervalMs = 2_000;

/** Events that are folded in about a millisecond. */
const turnEvents = 500;

/**
 * `shown` is what to come as far as; `toHead` moves it on where it is behind the log. `save` saves rows that are not
 * complete. `onDone` is called once, in the turn in which both are at the same position.
 */
export function createBuild({
  log,
  upcaster,
  folds,
  from,
  shown,
  toHead,
  save,
  now,
  onEvents = () => undefined,
  onProgress,
  onDone,
}: {
  readonly log: EventLog;
  readonly upcaster: Upcaster;
  readonly folds: readonly Fold[];
  /** The position that all of them stand at. */
  readonly from: number;
  readonly shown: { readonly position: number };
  readonly toHead: () => Promise<void>;
  readonly save: (folds: readonly Fold[]) => Promise<boolean>;
  readonly now: () => number;
  /** Gets the events that it reads. */
  readonly onEvents?: ((events: readonly RecordedEvent[]) => void) | undefined;
  readonly onProgress: () => void;
  readonly onDone: () => void;
}): Build {
  const projector: Projector = createProjector(upcaster, folds, from, log);
  let isDone = false;
  let lastSavedAt = now();

  function isLevel(): boolean {
    if (!isDone && projector.position === shown.position) {
      isDone = true;
      onDone();
    }
    return isDone;
  }

  /** Rows are saved where a commit ends: whether a page ends with one, only the next page would tell. */
  async function apply(events: readonly RecordedEvent[]): Promise<void> {
    const passedMs = now() - lastSavedAt;
    // A clock that was set back must not hold it up.
    const end = passedMs >= 0 && passedMs < saveIntervalMs ? 0 : lastCommitStart(events);
    if (end > 0) {
      projector.apply(events.slice(0, end), never);
      lastSavedAt = now();
      // A shortcut: without it the next start folds more.
      const { rebases } = log.order;
      await save(folds).catch(() => false);
      // Level meanwhile: they are what is shown, and moved on by that alone. Or the rest stands elsewhere by now.
      if (isDone || log.order.rebases !== rebases) return;
    }
    projector.apply(events, never);
    onEvents(events);
    onProgress();
  }

  return {
    folds: projector.folds,
    get position() {
      return projector.position;
    },
    run: async () => {
      while (!isLevel()) {
        const { rebases } = log.order;
        for await (const page of log.read({ from: projector.position + 1 })) {
          if (isDone) return;
          if (log.order.rebases !== rebases) break;
          await apply(page);
          // A command takes several turns, and each would wait for all the pages that have been read ahead: measured,
          // 260 ms at a million events.
          if (page.length >= turnEvents) await nextTurn();
        }
        if (shown.position < projector.position) await toHead();
      }
    },
    rewind: (to) => {
      isDone ||= projector.rewind(to).lost.length > 0;
      return !isDone;
    },
    follow: (events) => {
      // Told of what it has not come to yet: it reads that itself.
      if (!isDone && events[0]?.position === projector.position + 1) projector.apply(events, never);
      isLevel();
    },
  };
}

const never = () => false;

/** Where the last commit of a page begins, of which more may follow; 0 where the page holds no more than one. */
function lastCommitStart(events: readonly RecordedEvent[]): number {
  const last = events.at(-1)?.meta.commandId;
  return events.findLastIndex((event) => event.meta.commandId !== last) + 1;
}
