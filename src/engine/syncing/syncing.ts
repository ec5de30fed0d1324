import type { Env } from '../../core/env.ts';
import type { Failure } from '../../core/errors.ts';
import type { CommandState, Saved } from '../../core/receipt.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { RefusedCommit } from '../../protocol/engine-api.ts';
import type { Sync, SyncHost, SyncProgress, SyncRun, SyncState, SyncStatus } from '../../protocol/sync-host.ts';
import type { ToNote } from '../group.ts';
import { callLater } from '../reactions/consumer-work.ts';
import { toCommitNote } from './commit-note.ts';
import { createOncePerBrowser, type OncePerBrowser } from './once-per-browser.ts';
import type { Decider } from './rebase.ts';
import { createSyncHost } from './sync-host.ts';

export interface SyncingOptions extends Omit<Decider, 'upcaster'> {
  readonly sync: Sync;
  readonly log: EventLog;
  readonly env: Env;
  /** At least 0 and below 1; the platform's where it is left out. */
  readonly random?: (() => number) | undefined;
  /** How it runs once per browser. */
  readonly exclusively?: SyncHost['exclusively'] | undefined;
  /** `status` is another one. */
  readonly onChange: () => void;
  /** What became of a command may be something else now. */
  readonly onMoved: () => void;
  /** What was confirmed after that position is confirmed no more. */
  readonly onSetBack: (position: number) => void;
  /** The log is not what was opened any more. */
  readonly onFailure: (failure: Failure) => void;
}

/** Sync, as far as this worker has to do with it. */
export interface Syncing {
  readonly status: SyncStatus;
  readonly toNote: ToNote;
  /** What became of a command that is in the log. */
  toState(saved: Saved): CommandState;
  /** What became of a command that is not. */
  findRefused(commandId: string): Promise<CommandState | undefined>;
  readRefused(): Promise<readonly RefusedCommit[]>;
  dropRefused(commandIds: readonly string[]): Promise<void>;
  /** The first call counts. */
  start(): void;
  /** Looks up the counts: another tab may have changed them without a word. */
  look(): void;
  /** Tries now, whatever it is waiting for, here or in the tab that syncs; and looks. */
  wake(): void;
  stop(): Promise<void>;
}

/** How often the counts are looked up anew, at most: the first time at once. */
const lookMs = 200;

/** Makes the log a synchronised one: before anything is read of it. */
export async function openSyncing(options: SyncingOptions): Promise<Syncing> {
  const { sync, log, env, random = Math.random, exclusively, onChange, onMoved, onSetBack } = options;
  const synced = await log.openSync();
  const oncePerBrowser: OncePerBrowser =
    exclusively === undefined
      ? createOncePerBrowser(log.address, {
          onWake: () => run?.wake(),
          onTold: (told) => {
            toldElsewhere = told;
            syncedElsewhereAt = told?.syncedAt ?? syncedElsewhereAt;
            if (progress?.phase === 'elsewhere') onChange();
          },
        })
      : { exclusively, wakeOthers: () => undefined, tell: () => undefined, close: () => undefined };
  const host = createSyncHost({
    ...options,
    synced,
    syncEnv: { now: env.now, random, callLater: (run, delayMs) => callLater(env, run, delayMs) },
    exclusively: oncePerBrowser.exclusively,
    setBack: (g) => setBackConsumers(log, [...options.app.consumers.keys()], g),
    onReport: (next) => {
      progress = next;
      oncePerBrowser.tell(next);
      onChange();
    },
    onMoved: () => {
      onMoved();
      lookSoon();
    },
  });
  let progress: SyncProgress | undefined;
  /** How it goes in the tab that syncs. */
  let toldElsewhere: SyncProgress | undefined;
  let syncedElsewhereAt: number | undefined;
  let counts = { pending: 0, pushed: 0, refused: 0, ...log.order };
  let run: SyncRun | undefined;
  let stopLooking: (() => void) | undefined;
  let isStopped = false;
  let lookedAt = 0;

  function lookSoon(): void {
    if (isStopped) return;
    stopLooking ??= callLater(
      env,
      () => {
        stopLooking = undefined;
        // Where the log cannot be read, the status of the storage says so.
        void look().catch(() => undefined);
      },
      // A clock that was set back must not hold it up.
      Math.min(lookMs, Math.max(0, lookedAt + lookMs - env.now())),
    );
  }

  /** What the loop reads for itself is as good as a look. */
  async function look(): Promise<SyncState> {
    lookedAt = env.now();
    const state = await host.readState();
    const { pending, refused } = state;
    const { confirmed, rebases } = log.order;
    // Confirmed or moved by another tab: this one was not told.
    if (confirmed !== counts.confirmed || rebases !== counts.rebases || refused !== counts.refused) onMoved();
    counts = { pending, refused, pushed: host.countAcknowledged(), confirmed, rebases };
    onChange();
    return state;
  }

  function describeProgress(): Pick<SyncStatus, 'phase' | 'problem' | 'nextWakeAt' | 'syncedAt'> {
    if (progress === undefined) return { phase: 'starting', nextWakeAt: env.now() };
    const times = [progress.syncedAt, syncedElsewhereAt].flatMap((time) => time ?? []);
    const synced = times.length === 0 ? {} : { syncedAt: Math.max(...times) };
    if (progress.phase !== 'elsewhere' || toldElsewhere === undefined) return { ...progress, ...synced };
    // Of a tab that is frozen or gone it may be past: then this one's own time is the next.
    const nextWakeAt = toldElsewhere.nextWakeAt > env.now() ? toldElsewhere.nextWakeAt : progress.nextWakeAt;
    return { ...toldElsewhere, phase: 'elsewhere', nextWakeAt, ...synced };
  }

  const stopListening = log.onGrowth(lookSoon);
  const stopWatching = log.onRebase((fork, isSetBack) => {
    if (isSetBack) onSetBack(fork);
  });
  await look().catch(() => undefined);

  return {
    get status() {
      const { pending, pushed, refused } = counts;
      // They are looked up a little later: what a server has lost must not count as confirmed meanwhile.
      const confirmed = Math.min(counts.confirmed ?? 0, log.order.confirmed ?? 0);
      return { ...describeProgress(), pending, pushed: Math.min(pushed, pending), confirmed, refused };
    },
    toNote: (request, decidedOn, drawn) =>
      toCommitNote(request, { decidedOn, drawn, principal: sync.principal?.() ?? '', version: options.app.version }),
    toState: (saved) => {
      const { confirmed = 0 } = log.order;
      if (saved.position <= confirmed) return { ...saved, status: 'confirmed' };
      return host.isAcknowledged(saved.commandId) ? { ...saved, status: 'pushed' } : saved;
    },
    findRefused: host.findRefused,
    readRefused: host.readRefused,
    dropRefused: async (commandIds) => {
      await host.dropRefused(commandIds);
      lookSoon();
    },
    start: () => {
      run ??= sync.start({ ...host, readState: look });
    },
    look: lookSoon,
    wake: () => {
      if (isStopped) return;
      run?.wake();
      oncePerBrowser.wakeOthers();
      lookSoon();
    },
    stop: async () => {
      isStopped = true;
      stopLooking?.();
      stopListening();
      stopWatching();
      await run?.stop();
      oncePerBrowser.close();
    },
  };
}

/**
 * Reactors and processes have done what stands behind that position, in an order that is no more: they are told of it
 * again, for to be told twice can be dealt with, and to miss an event cannot.
 */
async function setBackConsumers(log: EventLog, consumers: readonly string[], position: number): Promise<void> {
  if (consumers.length === 0) return;
  const checkpoints = await log.openCheckpoints();
  for (const consumer of consumers) {
    for (;;) {
      const checkpoint = await checkpoints.load(consumer);
      if (checkpoint === undefined || checkpoint.position <= position) break;
      // Refused where the consumer has saved in between: that goes back too.
      if (await checkpoints.save(consumer, { position, turn: checkpoint.turn + 1 })) break;
    }
  }
}
