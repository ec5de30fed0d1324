import type { OrderedCommit, SyncTransaction } from '../../log/synced-log.ts';
import { keepOrphan } from './orphans.ts';
import { type Decider, rebase } from './rebase.ts';

/** The server has lost what is confirmed after `g`: own commits are pending again, those of others become orphans. */
export async function goBack(transaction: SyncTransaction, g: number, decider: Decider): Promise<void> {
  const { base, client, beside } = transaction;
  const back = await transaction.readAfter(g);
  const isForeign = ({ g: at, commit }: OrderedCommit) => at <= base.g && commit.client !== client;
  const foreign = back.filter(isForeign);
  const own = back.filter((commit) => !isForeign(commit));
  for (const commit of foreign) keepOrphan(beside, commit);
  await transaction.cutAfter(g);
  transaction.setBase({ epoch: base.epoch, ...transaction.end });
  const lost = foreign.flatMap(({ events }) => events);
  await rebase(transaction, own, { from: g, lost }, decider);
}
