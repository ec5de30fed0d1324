import { matchesFilter } from '../core/event-query.ts';
import { randomId } from '../protocol/random-id.ts';
import { noHash } from '../protocol/sync-commit.ts';
import { createMemorySyncLog, emptyPlace, type MemorySyncLog } from './memory-sync-log.ts';
import type { KnownCommit, PlacedCommit, SyncLog, SyncStore, SyncTransaction } from './sync-store.ts';

export interface MemorySyncStore extends SyncStore {
  /** All that is stored, as it is now: what another store can be made from, as a server from its backup. */
  snapshot(): MemoryStoreSnapshot;
}

export interface MemoryStoreSnapshot {
  readonly logs: readonly (Omit<SyncLog, 'head'> & { readonly commits: readonly PlacedCommit[] })[];
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
    const staged = createMemorySyncLog();
    const result = await work(createTransaction(log, staged));
    for (const placed of staged.commits) log.add(placed);
    return result;
  }

  return {
    get epoch() {
      return epoch;
    },
    renewEpoch: async () => {
      epoch = newId();
    },
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
        const { commit, text } = log.commits[end] as PlacedCommit;
        events += commit.events.length;
        bytes += encoder.encode(text).length;
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

const encoder = new TextEncoder();

/** What was appended in it stands beside what is stored, and is looked at first: it is the newer. */
function createTransaction(stored: MemorySyncLog, staged: MemorySyncLog): SyncTransaction {
  const find = <Found>(look: (log: MemorySyncLog) => Found | undefined) => look(staged) ?? look(stored);
  const findAll = <Key>(keys: readonly Key[], look: (log: MemorySyncLog, key: Key) => PlacedCommit | undefined) =>
    new Map(
      keys.flatMap((key): [Key, KnownCommit][] => {
        const found = find((log) => look(log, key));
        return found === undefined ? [] : [[key, toKnown(found)]];
      }),
    );
  return {
    get head() {
      return find((log) => log.head) ?? emptyPlace;
    },
    orderHash: async (g) => (g === 0 ? noHash : find((log) => log.at(g))?.oh),
    commitsById: async (commandIds) => findAll(commandIds, (log, id) => log.byId(id)),
    commitsBySeq: async (client, seqs) => findAll(seqs, (log, seq) => log.bySeq(client, seq)),
    clientLast: async (client) => {
      const [older, newer] = [stored.clientLast(client), staged.clientLast(client)];
      return (newer?.seq ?? 0) >= (older?.seq ?? 0) ? newer : older;
    },
    revisions: async (streams) =>
      new Map(
        streams.map((stream) => {
          const revision = staged.revision(stream);
          return [stream, revision === -1 ? stored.revision(stream) : revision];
        }),
      ),
    firstMatch: async (filters, after, { client, beforeSeq }) => {
      for (const log of [stored, staged]) {
        for (const { g, commit, revisions } of log.commits.slice(log.indexAfter(after))) {
          if (commit.client === client && commit.clientSeq < beforeSeq) continue;
          for (const [index, event] of commit.events.entries()) {
            const position = g - commit.events.length + index + 1;
            if (position <= after || !filters.some((filter) => matchesFilter(event, filter))) continue;
            return { stream: event.stream, revision: revisions[index] ?? 0, g: position };
          }
        }
      }
      return undefined;
    },
    append: async (commits) => {
      for (const placed of commits) staged.add(placed);
    },
  };
}

function describe({ logId, app, log }: OpenLog): SyncLog {
  return { logId, app, head: log.head ?? emptyPlace };
}

function toKnown({ g, digest, commit }: PlacedCommit): KnownCommit {
  return { id: commit.commandId, g, seq: commit.clientSeq, digest };
}
