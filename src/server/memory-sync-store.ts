import { matchesFilter } from '../core/event-query.ts';
import { randomId } from '../protocol/random-id.ts';
import { noHash } from '../protocol/sync-commit.ts';
import type { SyncPlace } from '../protocol/sync-messages.ts';
import type { ClientLast, KnownCommit, PlacedCommit, SyncLog, SyncStore, SyncTransaction } from './sync-store.ts';

interface MemoryLog {
  readonly logId: string;
  readonly app: string;
  readonly commits: PlacedCommit[];
}

/** Logs in memory, for simulations and tests: the same promises, and nothing is left when it is closed. */
export function createMemorySyncStore({ newId = randomId }: { readonly newId?: () => string } = {}): SyncStore {
  let epoch = newId();
  const logs = new Map<string, MemoryLog>();
  /** End of the last write of each log: the next one waits for it. */
  const turns = new Map<string, Promise<unknown>>();

  const commitsOf = (logId: string): readonly PlacedCommit[] => logs.get(logId)?.commits ?? [];
  const describe = ({ logId, app, commits }: MemoryLog): SyncLog => ({ logId, app, head: headOf(commits) });

  async function write<Result>(
    log: MemoryLog,
    work: (transaction: SyncTransaction) => Promise<Result>,
  ): Promise<Result> {
    const staged: PlacedCommit[] = [];
    const result = await work(createTransaction(log.commits, staged));
    log.commits.push(...staged);
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
      const log = logs.get(logId);
      return log && describe(log);
    },
    createLog: async (logId, app) => {
      const log = logs.get(logId) ?? { logId, app, commits: [] };
      logs.set(logId, log);
      return describe(log);
    },
    listLogs: async () => [...logs.values()].map(describe),
    orderHashes: async (logId, positions) => {
      const wanted = new Set(positions);
      return new Map(
        commitsOf(logId)
          .filter(({ g }) => wanted.has(g))
          .map(({ g, oh }) => [g, oh]),
      );
    },
    readCommits: async (logId, after, limits) => {
      const all = commitsOf(logId);
      const start = all.findIndex(({ g }) => g > after);
      if (start === -1) return [];
      let end = start;
      for (let [events, bytes] = [0, 0]; end < all.length; end += 1) {
        const { commit, text } = all[end] as PlacedCommit;
        events += commit.events.length;
        bytes += new TextEncoder().encode(text).length;
        if (end > start && (events > limits.events || bytes > limits.bytes)) break;
      }
      return all.slice(start, end);
    },
    clientLast: async (logId, client) => lastOf(commitsOf(logId), client),
    write: async (logId, work) => {
      const log = logs.get(logId);
      if (log === undefined) return undefined;
      const before = turns.get(logId);
      const turn = (async () => {
        await before?.catch(() => undefined);
        return write(log, work);
      })();
      turns.set(logId, turn);
      return turn;
    },
    close: async () => undefined,
  };
}

function createTransaction(stored: readonly PlacedCommit[], staged: PlacedCommit[]): SyncTransaction {
  const all = () => [...stored, ...staged];
  return {
    get head() {
      return headOf(staged.length > 0 ? staged : stored);
    },
    orderHash: async (g) => (g === 0 ? noHash : all().find((commit) => commit.g === g)?.oh),
    commitsById: async (commandIds) => {
      const wanted = new Set(commandIds);
      const found = all().filter(({ commit }) => wanted.has(commit.commandId));
      return new Map(found.map((placed) => [placed.commit.commandId, toKnown(placed)]));
    },
    commitsBySeq: async (client, seqs) => {
      const wanted = new Set(seqs);
      const found = all().filter(
        ({ commit, isRecovered }) => !isRecovered && commit.client === client && wanted.has(commit.clientSeq),
      );
      return new Map(found.map((placed) => [placed.commit.clientSeq, toKnown(placed)]));
    },
    clientLast: async (client) => lastOf(all(), client),
    revisions: async (streams) => {
      const revisions = new Map(streams.map((stream) => [stream, -1]));
      for (const { commit } of all()) {
        for (const { stream } of commit.events) {
          const revision = revisions.get(stream);
          if (revision !== undefined) revisions.set(stream, revision + 1);
        }
      }
      return revisions;
    },
    firstMatch: async (filters, after, { client, beforeSeq }) => {
      for (const { g, commit, revisions } of all()) {
        if (commit.client === client && commit.clientSeq < beforeSeq) continue;
        for (const [index, event] of commit.events.entries()) {
          const position = g - commit.events.length + index + 1;
          if (position <= after || !filters.some((filter) => matchesFilter(event, filter))) continue;
          return { stream: event.stream, revision: revisions[index] ?? 0, g: position };
        }
      }
      return undefined;
    },
    append: async (commits) => {
      staged.push(...commits);
    },
  };
}

function headOf(commits: readonly PlacedCommit[]): SyncPlace {
  const { g, oh } = commits.at(-1) ?? { g: 0, oh: noHash };
  return { g, oh };
}

function lastOf(commits: readonly PlacedCommit[], client: string): ClientLast | undefined {
  let last: PlacedCommit | undefined;
  for (const placed of commits) {
    if (placed.commit.client === client && placed.commit.clientSeq >= (last?.commit.clientSeq ?? 0)) last = placed;
  }
  return last && { seq: last.commit.clientSeq, id: last.commit.commandId, digest: last.digest };
}

function toKnown({ g, digest, commit }: PlacedCommit): KnownCommit {
  return { id: commit.commandId, g, seq: commit.clientSeq, digest };
}
