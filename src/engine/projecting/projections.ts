import type { App } from '../../core/app.ts';
import { type Failure, FailureError } from '../../core/errors.ts';
import type { RecordedEvent } from '../../core/events.ts';
import type { Projection } from '../../core/projection.ts';
import type { Upcaster } from '../../core/upcast.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { ProjectionSnapshot } from '../../log/snapshot-store.ts';
import type { Patch, ProjectionStatus, UnreadableType } from '../../protocol/engine-api.ts';
import { type Build, createBuild } from './build.ts';
import { createCatchUp } from './catch-up.ts';
import { createFold, type Fold } from './fold.ts';
import { planStart, type ShownRows } from './plan-start.ts';
import { createProjector } from './projector.ts';

/** The rows of all projections of an app: shown, kept up with the log, saved, and built anew beside what is shown. */
export interface Projections {
  /** Position of the last event that is in the rows, but for those that are behind. */
  readonly position: number;
  /** Undefined before `ready`. */
  rowsOf(projection: string): ShownRows | undefined;
  /** Settles when there are rows to show: no page is shown a log that is read in half. */
  ready(projection: string): Promise<void>;
  /** Takes what was appended, by whoever. Failures are told: only a bug rejects. */
  advance(appended: readonly RecordedEvent[]): Promise<void>;
  /** Reads the log to its end, and has builds that failed go on. Failures are told: only a bug rejects. */
  follow(): Promise<void>;
  /**
   * Builds rows anew beside those that are shown. Resolves when they have taken their place; throws `FailureError` where
   * the log cannot be read: then they are built when it can be.
   */
  rebuild(names: readonly string[]): Promise<void>;
  /** The projections that have something to tell. */
  statuses(): readonly ProjectionStatus[];
  unreadable(): readonly UnreadableType[];
  /** Saves what is not saved yet: the page is being left. */
  saveNow(): Promise<void>;
  /** From then on nothing is saved, whatever is still under way. */
  close(): void;
}

/** Events after which the rows are saved: some ten milliseconds of folding at the next start. */
const saveEvery = 5_000;

/** How long saving waits, so that a start shows its first rows before. */
const saveDelayMs = 500;

/** How often the progress of building is told. */
const progressIntervalMs = 100;

export async function startProjections({
  app,
  log,
  upcaster,
  now,
  isWanted,
  onPatch,
  onEvents,
  onNewRows,
  onChange,
  onFailure,
}: {
  readonly app: App;
  readonly log: EventLog;
  readonly upcaster: Upcaster;
  readonly now: () => number;
  /** The projections whose row changes `onPatch` is to get. */
  readonly isWanted: (projection: string) => boolean;
  readonly onPatch: (patch: Patch) => void;
  /** Gets the events that pass by: those that are new, and where nothing was saved, all. */
  readonly onEvents: (events: readonly RecordedEvent[]) => void;
  /** The rows of these projections are others than before. */
  readonly onNewRows: (projections: readonly string[]) => void;
  /** What `statuses` and `unreadable` tell may have changed. */
  readonly onChange: () => void;
  readonly onFailure: (failure: Failure) => void;
}): Promise<Projections> {
  const noneSaved = (): readonly ProjectionSnapshot[] => [];
  const load = () => Promise.all([log.snapshots.loadProjections().catch(noneSaved), log.head()]);
  let { rebases } = log.order;
  let loaded = await load();
  while (log.order.rebases !== rebases) {
    ({ rebases } = log.order);
    loaded = await load();
  }
  const [saved, head] = loaded;
  const plan = planStart(app, upcaster, saved, head);
  const shown = createProjector(upcaster, plan.shown, plan.position, log);
  const behind = new Map(plan.behind);
  const builds = new Set<Build>();
  const failed = new Set<Build>();
  /** Of builds that could not go back, what was begun in their place. */
  const begunAnew = new WeakMap<Build, Promise<FailureError | undefined>>();
  const builtByName = new Map<string, Promise<unknown>>();
  let savedTo = plan.shown.length > 0 ? plan.position : -1;
  let lastToldAt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;

  const catchUp = createCatchUp({
    log,
    projector: shown,
    isWanted,
    publish: (patch) => {
      onPatch(patch);
      onChange();
    },
    onTaken: (events) => {
      onEvents(events);
      for (const build of builds) build.follow(events);
      noteToSave();
      onChange();
    },
    renew: onNewRows,
  });

  const stopListening = log.onRebase((fork) => {
    for (const build of [...builds]) {
      // Going back takes those out that cannot.
      const own = [...build.folds.values()];
      if (build.rewind(fork)) continue;
      builds.delete(build);
      failed.delete(build);
      begunAnew.set(build, startBuild(anew(own), 0));
    }
    const lost = catchUp.rewind(fork);
    for (const { projection, rows, position } of lost) {
      behind.set(projection.name, { rows, position, isBehind: true });
    }
    if (lost.length > 0) void startBuild(anew(lost), 0);
    onNewRows(lost.map(({ projection }) => projection.name));
    void follow();
  });
  const anew = (folds: Iterable<Fold>) => [...folds].map(({ projection }) => createFold(projection));

  /** Reading may fail where writing does not; the rows are then behind, which the next hint or wake mends. */
  async function tellFailure(work: Promise<void>): Promise<FailureError | undefined> {
    try {
      await work;
      return undefined;
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      onFailure(error.failure);
      return error;
    }
  }

  function startBuild(folds: readonly Fold[], from: number, isFirst = false): Promise<FailureError | undefined> {
    const build = createBuild({
      log,
      upcaster,
      folds,
      from,
      shown,
      toHead: catchUp.toHead,
      save: (rows) => save(rows, false),
      now,
      onEvents: isFirst ? onEvents : undefined,
      onProgress: () => {
        const passedMs = now() - lastToldAt;
        // A clock that was set back must not hold it up.
        if (passedMs >= 0 && passedMs < progressIntervalMs) return;
        lastToldAt = now();
        onChange();
      },
      onDone: () => endBuild(build),
    });
    builds.add(build);
    const built = runBuild(build);
    for (const name of build.folds.keys()) builtByName.set(name, built);
    return built;
  }

  async function runBuild(build: Build): Promise<FailureError | undefined> {
    failed.delete(build);
    const failure = await tellFailure(build.run());
    // It may have been handed the rest meanwhile, and need what could not be read no more.
    if (failure === undefined || !builds.has(build)) return begunAnew.get(build);
    failed.add(build);
    // Of a damaged log, what could be read is shown; as it is now, although building may go on.
    const unseen = [...build.folds].filter(([name]) => !shown.folds.has(name) && !plan.behind.has(name));
    for (const [name, { rows, position }] of unseen) {
      behind.set(name, { rows: new Map(rows), position, isBehind: true });
    }
    onNewRows(unseen.map(([name]) => name));
    return failure;
  }

  function endBuild(build: Build): void {
    builds.delete(build);
    failed.delete(build);
    for (const [name, fold] of build.folds) {
      shown.take(fold);
      catchUp.replaced(name);
      behind.delete(name);
    }
    savedTo = -1;
    noteToSave();
    onNewRows([...build.folds.keys()]);
    onChange();
  }

  function noteToSave(): void {
    if (timer !== undefined || shown.position - savedTo < saveEvery) return;
    timer = setTimeout(() => {
      timer = undefined;
      void saveNow();
    }, saveDelayMs);
  }

  async function saveNow(): Promise<void> {
    const { position } = shown;
    const savedBefore = savedTo;
    if (position === savedTo || position === 0) return;
    // A cache: where it cannot be written, the next start folds more. What fails for good, an append tells too.
    const folds = [...shown.folds.values()];
    const done = await save(folds, true).catch(() => true);
    // Unless others have taken their place meanwhile, which are not saved yet.
    if (done && savedTo === savedBefore) savedTo = position;
  }

  async function save(folds: readonly Fold[], isComplete: boolean): Promise<boolean> {
    // From then on it hears of no other order: its rows may be of events that are gone, and would be saved as the new ones.
    if (isClosed) return false;
    return log.snapshots.saveProjections(folds.map((fold) => fold.save(isComplete)));
  }

  const follow = async () => {
    await tellFailure(catchUp.toHead());
    // Nobody waits for a fold of the whole log.
    for (const build of failed) void runBuild(build);
  };
  const caughtUp = plan.position < head ? follow() : Promise.resolve();
  for (const { folds, from } of plan.builds) void startBuild(folds, from, plan.shown.length === 0);

  return {
    get position() {
      return shown.position;
    },
    rowsOf: (name) => {
      const fold = shown.folds.get(name);
      return fold === undefined ? behind.get(name) : { rows: fold.rows, position: shown.position, isBehind: false };
    },
    ready: async (name) => {
      if (shown.folds.has(name)) await caughtUp;
      else if (!behind.has(name)) await builtByName.get(name);
      await catchUp.settled();
    },
    advance: (appended) => catchUp.advance(appended).catch(follow),
    follow,
    rebuild: async (names) => {
      await Promise.all(builtByName.values());
      for (const build of failed) {
        // What it was to build is built now. Others are still to be gone on with.
        if (![...build.folds.keys()].every((name) => names.includes(name))) continue;
        builds.delete(build);
        failed.delete(build);
      }
      const failure = await startBuild(
        names.map((name) => createFold(requireProjection(app, name))),
        0,
      );
      if (failure !== undefined) throw failure;
    },
    statuses: () =>
      [...app.projections.keys()].flatMap((name) => {
        const { quarantined = 0, errors = [] } = shown.folds.get(name)?.left ?? {};
        const build = [...builds].find(({ folds }) => folds.has(name));
        if (quarantined === 0 && build === undefined) return [];
        const building = build && { building: { done: build.position, total: shown.position } };
        const lag = shown.folds.has(name) ? 0 : shown.position - (behind.get(name)?.position ?? build?.position ?? 0);
        return [{ projection: name, lag, quarantined, errors, ...building }];
      }),
    unreadable: () => {
      // Each projection has passed by the same events; one that was built later may have passed by more.
      const lists = [...shown.folds.values()].map(({ left }) => left.unreadable);
      return lists.reduce((most, list) => (countAll(list) > countAll(most) ? list : most), []);
    },
    saveNow,
    close: () => {
      isClosed = true;
      clearTimeout(timer);
      stopListening();
    },
  };
}

function countAll(list: readonly UnreadableType[]): number {
  return list.reduce((sum, { count }) => sum + count, 0);
}

function requireProjection(app: App, name: string): Projection {
  const found = app.projections.get(name);
  if (found === undefined) throw new Error(`The app "${app.name}" has no projection "${name}". Add it to defineApp.`);
  return found;
}
