import { randomId } from '../protocol/random-id.ts';
import { noHash } from '../protocol/sync-commit.ts';
import { findAll } from './find-all.ts';
import { createMemorySyncLog, emptyPlace, type MemorySyncLog } from './memory-sync-log.ts';
import { stageTransaction } from './staged-transaction.ts';
import type { PlacedCommit, SyncLog, SyncReads, SyncStore, SyncTransaction } from './sync-store.ts';

export interface MemorySyncStore extends SyncStore {
  /** All that is stored, as it is now: what another store can be made from, as a server from its backup. */
  snapshot(): MemoryStoreSnapshot;
}

export interface MemoryStoreSnapshot {
  readonly logs: readonly (Pick<SyncLog, 'logId' | 'app'> & { readonly commits: readonly PlacedCommit[] })[];
}

export interface MemorySyncStoreOptions {
  readonly newId?: () => string;
  /** What it begins with; its epoch is another one than that of the store which this was taken from. */
  readonly from?: MemoryStoreSnapshot;
}

interface OpenLog {
  readonly logId: string;
  readonly app: string;
  readonly log: MemorySyncLog;
  /** End of the last write: the next one waits for it. */
  turn?: Promise<unknown>;
}

/** Logs in memory, for simulations and tests: the same promises, and nothing is left when it is closed. */
export function createMemorySyncStore({ newId = randomId, from }: MemorySyncStoreOptions = {}): MemorySyncStore {
  let epoch = newId();
  const logs = new Map<string, OpenLog>(
    from?.logs.map(({ logId, app, commits }) => [logId, { logId, app, log: createMemorySyncLog(commits) }]),
  );

  async function write<Result>(
    log: MemorySyncLog,
    work: (transaction: SyncTransaction) => Promise<Result>,
  ): Promise<Result> {
    const { transaction, commits } = stageTransaction(toReads(log));
    const result = await work(transaction);
    for (const placed of commits) log.add(placed);
    return result;
  }

  return {
    get epoch() {
      return epoch;
    },
    renewEpoch: async () => {
      epoch = newId();
    },
    // What is in memory is gone with who was restoring it.
    restore: (work) => work(),
    findLog: async (logId) => {
      const found = logs.get(logId);
      return found && describe(found);
    },
    createLog: async (logId, app) => {
      const found = logs.get(logId) ?? { logId, app, log: createMemorySyncLog() };
      logs.set(logId, found);
      return describe(found);
    },
    listLogs: async () => [...logs.values()].map(describe),
    orderHashes: async (logId, positions) => {
      const log = logs.get(logId)?.log;
      const found = positions.flatMap((g) => log?.at(g) ?? []);
      return new Map(found.map(({ g, oh }) => [g, oh]));
    },
    readCommits: async (logId, after, limits) => {
      const log = logs.get(logId)?.log;
      if (log === undefined) return [];
      const start = log.indexAfter(after);
      let end = start;
      for (let [events, bytes] = [0, 0]; end < log.commits.length; end += 1) {
        const placed = log.commits[end] as PlacedCommit;
        events += placed.commit.events.length;
        bytes += placed.bytes;
        if (end > start && (events > limits.events || bytes > limits.bytes)) break;
      }
      return log.commits.slice(start, end);
    },
    clientLast: async (logId, client) => logs.get(logId)?.log.clientLast(client),
    write: async (logId, work) => {
      const found = logs.get(logId);
      if (found === undefined) return undefined;
      const before = found.turn;
      const turn = (async () => {
        await before?.catch(() => undefined);
        return write(found.log, work);
      })();
      found.turn = turn;
      return turn;
    },
    snapshot: () => ({
      logs: [...logs.values()].map(({ logId, app, log }) => ({ logId, app, commits: [...log.commits] })),
    }),
    close: async () => undefined,
  };
}

function toReads(log: MemorySyncLog): SyncReads {
  return {
    get head() {
      return log.head ?? emptyPlace;
    },
    get bytes() {
      return log.bytes;
    },
    orderHash: async (g) => (g === 0 ? noHash : log.at(g)?.oh),
    commitsById: async (commandIds) => findAll(commandIds, log.byId),
    commitsBySeq: async (client, seqs) => findAll(seqs, (seq) => log.bySeq(client, seq)),
    hasCommit: async (client, seq, digest) => log.has(client, seq, digest),
    clientLast: async (client) => log.clientLast(client),
    revisions: async (streams) => new Map(streams.map((stream) => [stream, log.revision(stream)])),
    firstMatch: async (filters, after, except) => log.firstMatch(filters, after, except),
  };
}

function describe({ logId, app, log }: OpenLog): SyncLog {
  return { logId, app, head: log.head ?? emptyPlace, bytes: log.bytes };
}
