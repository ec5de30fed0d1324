import { FailureError } from '../core/errors.ts';
import { chainStart } from '../protocol/commit-digest.ts';
import { randomId } from '../protocol/random-id.ts';
import { type CheckpointStore, createMemoryCheckpointStore } from './checkpoint-store.ts';
import type { EventLog, GrowthListener } from './event-log.ts';
import { createOrderWatch, type OrderWatch, type SyncRecord } from './log-order.ts';
import { createMemoryBeside } from './memory-log-beside.ts';
import {
  copyMemoryLogData,
  countCommitsTo,
  createMemoryLogData,
  findEvents,
  type MemoryLogData,
  orderHashAt,
  revisionOf,
} from './memory-log-data.ts';
import { type MemoryLogEnd, type MemoryLogState, stageTransaction } from './memory-log-transaction.ts';
import { createMemorySnapshotStore, type SnapshotStore } from './snapshot-store.ts';
import { newSyncRecord } from './sync-record.ts';
import type { SyncedLog, SyncTransaction } from './synced-log.ts';

export interface MemoryEventLogOptions {
  readonly logId?: string;
  /** Who its commits are written by. */
  readonly client?: string;
  /** Mints the client that takes its place, where sync finds that somebody else writes under its id. */
  readonly newClient?: () => string;
}

export interface MemoryEventLog extends EventLog {
  /** Opens the same events once more, as another tab does; each is closed on its own. */
  open(): MemoryEventLog;
  /** Another log with all that is stored now, under the same ids: a copied profile, or a backup. */
  copy(): MemoryEventLog;
}

/** An event log in memory: for tests, and for the server side of a render. Nothing survives it. */
export function createMemoryEventLog({
  logId = 'memory',
  client = 'memory',
  newClient = randomId,
}: MemoryEventLogOptions = {}): MemoryEventLog {
  const end: MemoryLogEnd = { client, clientSeq: 0, ...chainStart, sync: undefined };
  const stored = { logId, data: createMemoryLogData(), beside: createMemoryBeside(), newClient };
  return openMemory(logId, createMemory(stored, end));
}

const pageSize = 1000;

/** What all who have opened the log share. */
interface Memory {
  readonly address: string;
  readonly data: MemoryLogData;
  readonly sync: SyncRecord | undefined;
  readonly snapshots: SnapshotStore;
  readonly checkpoints: CheckpointStore;
  readonly listeners: Set<GrowthListener>;
  write<Result>(work: (transaction: SyncTransaction) => Promise<Result>): Promise<Result>;
  /** From here on it is synchronised. Runs between two writes. */
  beginSync(): Promise<void>;
  copy(): Memory;
}

function createMemory(stored: Omit<MemoryLogState, 'onCut'>, start: MemoryLogEnd): Memory {
  const { data, beside } = stored;
  const listeners = new Set<GrowthListener>();
  const snapshots = createMemorySnapshotStore((position) => orderHashAt(data, position));
  const state: MemoryLogState = { ...stored, onCut: snapshots.forgetState };
  let end = start;
  let queue: Promise<unknown> = Promise.resolve();
  // Nobody shares it, also in another thread or tab.
  const address = `memory ${randomId()}`;

  async function runAlone<Result>(work: (transaction: SyncTransaction) => Promise<Result>): Promise<Result> {
    const staged = stageTransaction(state, end);
    const result = await work(staged);
    // Reached only where `work` did not throw: this is the commit.
    const flushed = staged.flush();
    end = flushed.end;
    if (!flushed.isNews) return result;
    // Not from here: what a listener throws is not the writer's.
    for (const listener of listeners) queueMicrotask(() => listeners.has(listener) && listener(data.events.length, []));
    return result;
  }

  const inTurn = <Result>(run: () => Promise<Result>): Promise<Result> => {
    const result = queue.then(run);
    queue = result.catch(() => undefined);
    return result;
  };

  return {
    address,
    data,
    get sync() {
      return end.sync;
    },
    snapshots,
    checkpoints: createMemoryCheckpointStore(),
    listeners,
    write: (work) => inTurn(() => runAlone(work)),
    beginSync: () =>
      inTurn(async () => {
        end = { ...end, sync: end.sync ?? newSyncRecord };
      }),
    // What a write changes, it changes at once, when it is through. Shortcuts stay behind: they are folded anew.
    copy: () => createMemory({ ...stored, data: copyMemoryLogData(data), beside: beside.copy() }, end),
  };
}

function openMemory(logId: string, memory: Memory): MemoryEventLog {
  const { data, checkpoints, listeners } = memory;
  const own = new Set<GrowthListener>();
  const watch = createOrderWatch(memory.sync);
  let closed = false;

  const requireOpen = () => {
    if (!closed) return;
    const text = `The event log "${logId}" was closed by the app. Nothing was read or saved: open it again.`;
    throw new FailureError({ type: 'storage.failed', text });
  };
  /** What every transaction begins with. */
  const look = () => {
    requireOpen();
    watch.notice(memory.sync);
  };
  const forget = (listener: GrowthListener) => {
    own.delete(listener);
    listeners.delete(listener);
  };
  const write: SyncedLog['write'] = async (work) => {
    requireOpen();
    const result = await memory.write((transaction) => {
      watch.notice(memory.sync);
      return work(transaction);
    });
    watch.notice(memory.sync);
    return result;
  };

  /** Each page is a transaction: one that finds another order than the first ends the read. */
  function* toPages<Item>(items: readonly Item[]): Generator<readonly Item[]> {
    const { rebases } = watch.order;
    for (let start = 0; start < items.length; start += pageSize) {
      look();
      if (watch.order.rebases !== rebases) return;
      yield items.slice(start, start + pageSize);
    }
  }

  return {
    logId,
    address: memory.address,
    snapshots: whileInOrder(memory.snapshots, watch, () => watch.notice(memory.sync)),
    openCheckpoints: async () => whileOpen(checkpoints, requireOpen),
    write,
    read: async function* (query) {
      look();
      yield* toPages(findEvents(data, query));
    },
    readCommits: async function* (from = 1) {
      look();
      yield* toPages(data.commits.slice(countCommitsTo(data, from - 1)));
    },
    verify: async ({ onProgress, signal } = {}) => {
      look();
      signal?.throwIfAborted();
      onProgress?.({ done: data.events.length, total: data.events.length });
      // Frozen since they were linked: nobody can have changed them.
      return { status: 'verified', events: data.events.length };
    },
    head: async () => {
      look();
      return data.events.length;
    },
    revisions: async (streams) => {
      look();
      return streams.map((stream) => revisionOf(data, stream));
    },
    onGrowth: (listener) => {
      // One of its own for each call: the same function may listen twice.
      const listen: GrowthListener = (head, events) => listener(head, events);
      own.add(listen);
      listeners.add(listen);
      return () => forget(listen);
    },
    get order() {
      return watch.order;
    },
    onRebase: watch.listen,
    openSync: async () => {
      requireOpen();
      await memory.beginSync();
      watch.notice(memory.sync);
      return { write };
    },
    open: () => openMemory(logId, memory),
    copy: () => openMemory(logId, memory.copy()),
    close: () => {
      closed = true;
      watch.close();
      for (const listener of own) forget(listener);
    },
  };
}

/** The snapshots as one opening of the log uses them: it finds out first whether the order is still the one it knew. */
function whileInOrder(snapshots: SnapshotStore, watch: OrderWatch, look: () => void): SnapshotStore {
  return {
    saveProjections: async (saved) => {
      const { rebases } = watch.order;
      look();
      // The rows are those of the call.
      return watch.order.rebases === rebases && snapshots.saveProjections(saved);
    },
    loadProjections: async () => {
      look();
      return snapshots.loadProjections();
    },
    saveStates: async (states) => {
      const { rebases } = watch.order;
      look();
      if (watch.order.rebases === rebases) await snapshots.saveStates(states);
    },
    loadStates: async (streams) => {
      look();
      return snapshots.loadStates(streams);
    },
    clear: () => snapshots.clear(),
  };
}

/** What each opening of the log gives away of what all of them share: it ends with the opening. */
function whileOpen(checkpoints: CheckpointStore, requireOpen: () => void): CheckpointStore {
  return {
    load: async (consumer) => {
      requireOpen();
      return checkpoints.load(consumer);
    },
    save: async (consumer, change) => {
      requireOpen();
      return checkpoints.save(consumer, change);
    },
    loadInstances: async (consumer, keys) => {
      requireOpen();
      return checkpoints.loadInstances(consumer, keys);
    },
    nextDeadline: async (consumer) => {
      requireOpen();
      return checkpoints.nextDeadline(consumer);
    },
  };
}
