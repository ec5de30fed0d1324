import type { Upcaster } from '../../core/upcast.ts';
import type { LogOrder } from '../../log/event-log.ts';
import type { OrderedCommit, SyncTransaction } from '../../log/synced-log.ts';
import type { PushPage, PushQuery, SyncHost } from '../../protocol/sync-host.ts';
import type { PushedCommit, SyncBase, SyncGuard } from '../../protocol/sync-messages.ts';
import { storedFilters } from '../current-log.ts';
import type { CommitNote } from './commit-note.ts';
import { decideMarked } from './decide-marked.ts';
import { countOrphans } from './orphans.ts';
import { pageCommits } from './page-commits.ts';
import { createPushRoom } from './push-room.ts';
import { type Decider, readNotes } from './rebase.ts';

export interface PushReaderOptions {
  readonly log: { readonly order: LogOrder };
  readonly decider: Decider;
  readonly look: <Result>(work: (transaction: SyncTransaction) => Promise<Result>) => Promise<Result>;
}

/** Reads what is to be pushed next; what can be decided again by now, is decided before. */
export function createPushReader({ log, decider, look }: PushReaderOptions): SyncHost['readPush'] {
  let triedAt = '';
  /** Everything up to there was held back, in the order at the time. */
  let heldTo = { g: 0, rebases: -1 };

  /** Where the first commit stands that is not held back. What was held back first is offered again first. */
  async function skipHeld({ base, readAfter }: SyncTransaction, isHeld: IsHeld): Promise<number> {
    const { rebases } = log.order;
    const [first] = await readAfter(base.g, 1);
    const isKnown = heldTo.rebases === rebases && first !== undefined && isHeld(first);
    let from = isKnown ? Math.max(heldTo.g, base.g) : base.g;
    for (;;) {
      const page = await readAfter(from, pageCommits);
      const open = page.findIndex((commit) => !isHeld(commit));
      from = (open === -1 ? page.at(-1)?.g : page[open - 1]?.g) ?? from;
      if (open !== -1 || page.length < pageCommits) break;
    }
    heldTo = { g: from, rebases };
    return from;
  }

  return async (query) => {
    let tried = triedAt;
    const page = await look(async (transaction) => {
      const isRecovering = (await countOrphans(transaction.beside)) > 0;
      if (!isRecovering) tried = await decideMarked(transaction, triedAt, decider);
      const from = await skipHeld(transaction, toIsHeld(query));
      const commits = await transaction.readAfter(from, Math.min(pageCommits, query.limits.pushCommits));
      const found = selectCommits(transaction, commits, await readNotes(transaction, commits), query, decider.upcaster);
      // What waits for what is missing needs no newer version of the app.
      return isRecovering && found.waitsFor === 'version' ? { ...found, waitsFor: undefined } : found;
    });
    // Stored by now: a transaction that was lost is run again, and looks again.
    triedAt = tried;
    return page;
  };
}

type IsHeld = (commit: OrderedCommit) => boolean;

/** The commits of a page up to the first that has to wait, or has no room; what is held back is left out. */
function selectCommits(
  { base, client }: SyncTransaction,
  commits: readonly OrderedCommit[],
  notes: ReadonlyMap<string, CommitNote>,
  query: PushQuery,
  upcaster: Upcaster,
): PushPage {
  const isHeld = toIsHeld(query);
  const isImported = commits[0] !== undefined && commits[0].commit.client !== client;
  const room = createPushRoom(query.limits);
  const selected: PushedCommit[] = [];
  const page = { base, client, mode: isImported ? 'recover' : 'own', commits: selected } as const;
  for (const ordered of commits) {
    const { commit, digest } = ordered;
    if (isImported && commit.client === client) break;
    const note = notes.get(commit.commandId);
    // It waits behind all that does not, whoever saved it.
    if (note?.mustDecide === true) return { ...page, waitsFor: 'version' };
    if (isHeld(ordered)) continue;
    if (note !== undefined && note.principal !== '' && note.principal !== query.principal) {
      return { ...page, waitsFor: 'principal' };
    }
    const guard = toGuard(note, base, upcaster);
    const pushed = { commit, digest, ...(guard === undefined ? {} : { guard }) };
    if (!room.take(pushed)) break;
    selected.push(pushed);
  }
  return page;
}

function toIsHeld({ isAcknowledged }: PushQuery): IsHeld {
  return ({ commit: { commandId }, digest }) => isAcknowledged({ commandId, digest });
}

/** As the server will see it: what is confirmed here, and own commits before. */
function toGuard(note: CommitNote | undefined, { g }: SyncBase, upcaster: Upcaster): SyncGuard | undefined {
  if (note === undefined) return undefined;
  const revisions = Object.entries(note.decidedOn.revisions).map(([stream, revision]) => ({ stream, revision }));
  // The server knows events by the names under which they were written.
  const filters = storedFilters(note.decidedOn.filters, upcaster);
  if (revisions.length === 0 && filters.length === 0) return undefined;
  return {
    ...(revisions.length === 0 ? {} : { revisions }),
    ...(filters.length === 0 ? {} : { condition: { failIfEventsMatch: filters, after: g } }),
  };
}
