import type { LogOrder } from '../../log/event-log.ts';
import type { SyncTransaction } from '../../log/synced-log.ts';
import { pageCommits } from './page-commits.ts';

/** Counts the commits that are pending, without reading them all. */
export function createPendingCount(log: {
  readonly order: LogOrder;
}): (transaction: SyncTransaction) => Promise<number> {
  /** Commits after `g` that an import brought, in the order at the time. */
  let imported = { g: 0, rebases: -1, commits: 0 };

  /** Read once: from then on what is confirmed is taken off. A rebase makes them commits of this client. */
  async function countImported({ base, client, readAfter }: SyncTransaction): Promise<number> {
    const { rebases } = log.order;
    const isKnown = imported.rebases === rebases && imported.g <= base.g;
    let commits = isKnown ? imported.commits : 0;
    const end = isKnown ? base.g : Number.POSITIVE_INFINITY;
    for (let from = isKnown ? imported.g : base.g; from < end; ) {
      const page = await readAfter(from, pageCommits);
      const counted = page.filter(({ g, commit }) => g <= end && commit.client !== client);
      commits += isKnown ? -counted.length : counted.length;
      if (counted.length < pageCommits) break;
      from = counted.at(-1)?.g ?? end;
    }
    imported = { g: base.g, rebases, commits };
    return commits;
  }

  return async (transaction) => {
    const { base, client, clientSeq } = transaction;
    const [first] = await transaction.readAfter(base.g, 1);
    if (first === undefined) return 0;
    // Own commits are numbered without a gap: the first that is pending tells how many there are.
    if (first.commit.client === client) return clientSeq - first.commit.clientSeq + 1;
    // An import makes a new client: all that it wrote since is pending too.
    return clientSeq + (await countImported(transaction));
  };
}
