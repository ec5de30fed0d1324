import { findAll } from './find-all.ts';
import { createMemorySyncLog } from './memory-sync-log.ts';
import type { KnownCommit, PlacedCommit, SyncReads, SyncTransaction } from './sync-store.ts';

/** A transaction that keeps what it appends to itself, until somebody stores it. */
export interface StagedTransaction {
  readonly transaction: SyncTransaction;
  /** What was appended, in order. */
  readonly commits: readonly PlacedCommit[];
}

/** What was appended in it stands behind what it was begun on, and is looked at first: it is the newer. */
export function stageTransaction(stored: SyncReads): StagedTransaction {
  const staged = createMemorySyncLog();

  async function findBoth<Key>(
    keys: readonly Key[],
    look: (key: Key) => KnownCommit | undefined,
    lookStored: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, KnownCommit>>,
  ): Promise<ReadonlyMap<Key, KnownCommit>> {
    const found = findAll(keys, look);
    const rest = keys.filter((key) => !found.has(key));
    return rest.length === 0 ? found : new Map([...(await lookStored(rest)), ...found]);
  }

  const transaction: SyncTransaction = {
    get head() {
      return staged.head ?? stored.head;
    },
    get bytes() {
      return stored.bytes + staged.bytes;
    },
    orderHash: async (g) => staged.at(g)?.oh ?? stored.orderHash(g),
    commitsById: (ids) => findBoth(ids, staged.byId, stored.commitsById),
    commitsBySeq: (client, seqs) =>
      findBoth(
        seqs,
        (seq) => staged.bySeq(client, seq),
        (rest) => stored.commitsBySeq(client, rest),
      ),
    hasCommit: async (client, seq, digest) => staged.has(client, seq, digest) || stored.hasCommit(client, seq, digest),
    clientLast: async (client) => {
      const newer = staged.clientLast(client);
      const older = await stored.clientLast(client);
      return (newer?.seq ?? 0) >= (older?.seq ?? 0) ? newer : older;
    },
    revisions: async (streams) => {
      const moved = streams.map((stream) => [stream, staged.revision(stream)] as const);
      const rest = moved.flatMap(([stream, revision]) => (revision === -1 ? [stream] : []));
      const older = rest.length === 0 ? [] : await stored.revisions(rest);
      return new Map([...moved, ...older]);
    },
    firstMatch: async (filters, after, except) =>
      (await stored.firstMatch(filters, after, except)) ?? staged.firstMatch(filters, after, except),
    append: async (commits) => {
      for (const placed of commits) staged.add(placed);
    },
  };
  return { transaction, commits: staged.commits };
}
