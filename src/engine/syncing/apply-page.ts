import type { CheckedCommit } from '../../log/checked-commit.ts';
import type { SyncTransaction } from '../../log/synced-log.ts';
import type { PageOutcome, PulledPage } from '../../protocol/sync-host.ts';
import type { SyncBase } from '../../protocol/sync-messages.ts';
import { isSamePlace } from '../../protocol/sync-place.ts';
import { type Decider, rebase } from './rebase.ts';

/**
 * Puts a page, `checked` commit for commit, where the log's base is, and moves that to the page's end. Own commits that
 * come as they stand are confirmed where they are; what is pending is rebased on the rest.
 */
export async function applyPage(
  transaction: SyncTransaction,
  { base: from, epoch, commits: pulled }: PulledPage,
  checked: readonly CheckedCommit[],
  decider: Decider,
): Promise<PageOutcome> {
  const { base, client, beside } = transaction;
  if (!isSamePlace(base, from)) return { status: 'stale' };
  const { g, oh } = pulled.at(-1) ?? base;
  const end: SyncBase = { epoch, g, oh };
  if (pulled.length === 0) {
    if (base.epoch !== epoch) transaction.setBase(end);
    return { status: 'applied', base: end, renewed: false };
  }
  // No more is read of what is pending than may be confirmed: there may be a million.
  const first = await transaction.readAfter(base.g, pulled.length);
  const level = pulled.findIndex((commit, index) => first[index]?.oh !== commit.oh);
  const confirmed = level === -1 ? first : first.slice(0, level);
  const refused = new Set(await beside.ids('refused'));
  for (const { commit } of confirmed) {
    // An import brought none.
    if (commit.client === client) beside.delete('note', commit.commandId);
    if (refused.has(commit.commandId)) beside.delete('refused', commit.commandId);
  }
  if (level === -1) {
    transaction.setBase(end);
    return { status: 'applied', base: end, renewed: false };
  }
  const start = confirmed.at(-1)?.g ?? base.g;
  const own = await transaction.readAfter(start);
  const placed = checked.slice(level);
  const known = new Set(own.map(({ commit }) => commit.commandId));
  const renews = placed.some(
    ({ commit }) => commit.client === client && !known.has(commit.commandId) && !refused.has(commit.commandId),
  );
  await rebase(transaction, own, { from: start, placed, base: end, renews }, decider);
  return { status: 'applied', base: end, renewed: renews };
}
