import { nextTurn } from './next-turn.ts';
import { isTransient } from './sql-database.ts';
import { type StagedTransaction, stageTransaction } from './staged-transaction.ts';
import { SyncFailure } from './sync-failure.ts';
import type { PlacedCommit, PushLook, SyncReads, SyncStore, SyncTransaction } from './sync-store.ts';

/** A log in a transaction that nobody else has it in. */
export interface LockedLog extends SyncReads {
  /** At the end of the transaction: what is read of it stays as it was. */
  store(commits: readonly PlacedCommit[]): Promise<void>;
}

/** Runs `work` in one transaction of a log, for which `looks` are read beforehand; undefined where there is no such log. */
export type WriteOnce = <Result>(
  logId: string,
  looks: readonly PushLook[],
  work: (locked: LockedLog) => Promise<Result>,
) => Promise<Result | undefined>;

/** A write that waits for its turn. */
interface Job {
  readonly look: PushLook | undefined;
  /** @returns how to tell who waits for it, once it is stored. */
  run(transaction: SyncTransaction): Promise<() => void>;
  missing(): void;
  fail(error: unknown): void;
}

/** So many bytes of commits share a transaction, and one write in any case. */
const groupBytes = 4 * 1_048_576;
const groupJobs = 256;
/** So long a group goes on taking writes: the log is locked meanwhile. */
const maxMs = 100;

/** What may wait, or be on its way: it is held in memory. */
export interface WaitingRoom {
  /** Writes behind the group of a log that is on its way; 4,096 by default. */
  readonly maxWaiting?: number;
  /** Of the commits, as JSON, of all logs together; 64 MiB by default. */
  readonly maxBytes?: number;
}

/**
 * Writes to one log that come while another one is on its way share the next transaction, in the order in which they
 * came: to begin, to lock, to store and to flush costs a database the same for one commit as for a hundred.
 *
 * Each of them is stored whole or not at all, whatever becomes of the others. One that finds no room is refused with
 * `UNAVAILABLE`, and comes again.
 */
export function createGroupedWrites(
  writeOnce: WriteOnce,
  { maxWaiting = 4_096, maxBytes = 64 * 1_048_576 }: WaitingRoom = {},
): SyncStore['write'] {
  /** By log, while one of its groups is on its way. */
  const queues = new Map<string, Job[]>();
  let heldBytes = 0;

  async function drain(logId: string, queue: Job[]): Promise<void> {
    while (queue.length > 0) {
      // A database in this process answers before the next request is read: none would ever wait to share with it.
      await nextTurn();
      await runGroup(logId, queue.splice(0, sizeOf(queue)), queue);
    }
    queues.delete(logId);
  }

  async function runGroup(logId: string, jobs: readonly Job[], queue: Job[]): Promise<void> {
    let ends: (() => void)[] = [];
    /** For which the database failed. */
    let broken: Job | undefined;
    try {
      const found = await writeOnce(
        logId,
        jobs.flatMap(({ look }) => look ?? []),
        async (locked) => {
          // The database may have given it up for another one's sake.
          ends = [];
          broken = undefined;
          let failure: { readonly error: unknown } | undefined;
          const reads = watchReads(locked, (error) => {
            failure ??= { error };
          });
          const group = stageTransaction(reads);
          const endAt = performance.now() + maxMs;
          for (const job of jobs) {
            if (ends.length > 0 && performance.now() > endAt) break;
            ends.push(await runJob(job, group));
            if (failure === undefined) continue;
            // The transaction is over for all of them, and may be run again as a whole.
            broken = job;
            throw failure.error;
          }
          await locked.store(group.commits);
          return true;
        },
      );
      if (found === undefined) ends = jobs.map(({ missing }) => missing);
    } catch (error) {
      if (broken !== undefined) {
        // The others go on without it.
        broken.fail(error);
        queue.unshift(...jobs.filter((job) => job !== broken));
        return;
      }
      // What the database does not take of one must not be in the way of the others.
      if (jobs.length > 1 && !isTransient(error)) {
        for (const job of jobs) await runGroup(logId, [job], queue);
        return;
      }
      ends = jobs.map((job) => () => job.fail(error));
    }
    queue.unshift(...jobs.slice(ends.length));
    for (const end of ends) end();
  }

  const join: SyncStore['write'] = (logId, work, look) =>
    new Promise((resolve, reject) => {
      const job: Job = {
        look,
        run: async (transaction) => {
          const result = await work(transaction);
          return () => resolve(result);
        },
        missing: () => resolve(undefined),
        fail: reject,
      };
      const queue = queues.get(logId);
      if (queue === undefined) {
        const own = [job];
        queues.set(logId, own);
        void drain(logId, own);
      } else if (queue.length < maxWaiting) queue.push(job);
      else reject(noRoom());
    });

  return async (logId, work, look) => {
    const bytes = look?.bytes ?? 0;
    // One alone is taken in any case: it was read already.
    if (heldBytes > 0 && heldBytes + bytes > maxBytes) throw noRoom();
    heldBytes += bytes;
    try {
      return await join(logId, work, look);
    } finally {
      heldBytes -= bytes;
    }
  };
}

function noRoom(): SyncFailure {
  return new SyncFailure('UNAVAILABLE', 'Too many pushes wait.', { after: 2_000 });
}

async function runJob(job: Job, group: StagedTransaction): Promise<() => void> {
  const own = stageTransaction(group.transaction);
  try {
    const end = await job.run(own.transaction);
    await group.transaction.append(own.commits);
    return end;
  } catch (error) {
    return () => job.fail(error);
  }
}

/** The same reads. What they throw is told, whatever becomes of it in the write that has asked. */
function watchReads(locked: LockedLog, onError: (error: unknown) => void): SyncReads {
  const watch =
    <Given extends unknown[], Found>(read: (...given: Given) => Promise<Found>) =>
    async (...given: Given): Promise<Found> => {
      try {
        return await read(...given);
      } catch (error) {
        onError(error);
        throw error;
      }
    };
  const { head, bytes, orderHash, commitsById, commitsBySeq, hasCommit, clientLast, revisions, firstMatch } = locked;
  return {
    head,
    bytes,
    orderHash: watch(orderHash),
    commitsById: watch(commitsById),
    commitsBySeq: watch(commitsBySeq),
    hasCommit: watch(hasCommit),
    clientLast: watch(clientLast),
    revisions: watch(revisions),
    firstMatch: watch(firstMatch),
  };
}

/** How many of the first share a transaction. One of which nothing is known has it for itself. */
function sizeOf(queue: readonly Job[]): number {
  let bytes = 0;
  for (const [count, { look }] of queue.slice(0, groupJobs).entries()) {
    bytes += look?.bytes ?? Number.POSITIVE_INFINITY;
    if (bytes > groupBytes) return Math.max(1, count);
  }
  return Math.min(queue.length, groupJobs);
}
