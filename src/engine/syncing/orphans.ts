import type { BesideLog, OrderedCommit, SyncTransaction } from '../../log/synced-log.ts';
import type { PushedId, SyncReason } from '../../protocol/sync-host.ts';
import type { PushedCommit, SyncLimits } from '../../protocol/sync-messages.ts';
import { pageCommits } from './page-commits.ts';
import { createPushRoom } from './push-room.ts';
import { keepRefused } from './refused-commits.ts';

// Commits of others that were confirmed, and that a restored server has lost: kept beside the log until it has them again.

/** As long as there are some, nothing is decided again: it may depend on them. */
export function countOrphans(beside: BesideLog): Promise<number> {
  return beside.count('orphan');
}

export function keepOrphan(beside: BesideLog, { g, commit, digest }: OrderedCommit): void {
  // In order of position.
  const id = `${String(g).padStart(16, '0')} ${commit.commandId}`;
  beside.put('orphan', id, { commit, digest } satisfies PushedCommit);
}

/** The oldest, as many as go into one push. */
export async function readOrphans(beside: BesideLog, limits: SyncLimits): Promise<readonly PushedCommit[]> {
  const room = createPushRoom(limits);
  const orphans: PushedCommit[] = [];
  for (const [, orphan] of await listOrphans(beside, Math.min(pageCommits, limits.pushCommits))) {
    if (!room.take(orphan)) break;
    orphans.push(orphan);
  }
  return orphans;
}

/** Lets go of what was taken, and keeps what was refused as withdrawn, unless its author has brought it back. */
export async function settleOrphans(
  { beside, findCommit }: Pick<SyncTransaction, 'beside' | 'findCommit'>,
  taken: readonly PushedId[],
  refusals: readonly (PushedId & SyncReason)[],
  refusedAt: number,
): Promise<void> {
  const reasons = new Map(refusals.map(({ commandId, code, text }) => [commandId, { code, text }]));
  const settled = new Set([...taken.map(({ commandId }) => commandId), ...reasons.keys()]);
  // What was offered is among the first: there may be a hundred thousand.
  for (const [id, { commit }] of await listOrphans(beside, pageCommits)) {
    const { commandId } = commit;
    if (!settled.has(commandId)) continue;
    beside.delete('orphan', id);
    const reason = reasons.get(commandId);
    if (reason === undefined || (await findCommit(commandId)) !== undefined) continue;
    keepRefused(beside, { commandId, reason, refusedAt, commit });
  }
}

async function listOrphans(beside: BesideLog, limit: number) {
  // Written by `keepOrphan`.
  return (await beside.list('orphan', limit)) as readonly (readonly [id: string, orphan: PushedCommit])[];
}
