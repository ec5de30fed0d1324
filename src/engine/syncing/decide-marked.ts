import type { SyncTransaction } from '../../log/synced-log.ts';
import { type Decider, readNotes, rebase } from './rebase.ts';

/**
 * Tries what could not be decided again while commits of others were missing, or by this version of the app.
 *
 * @param triedAt what the last call returned: the same marks in the same log come to nothing else.
 * @returns where it was tried. Not the count of rebases: this is one too, and two tabs would make each other try for
 * ever.
 */
export async function decideMarked(transaction: SyncTransaction, triedAt: string, decider: Decider): Promise<string> {
  const { base, beside } = transaction;
  const marked = await beside.ids('marked');
  // What waits for a newer build follows from the log; what was marked besides makes them more.
  const now = (marks: readonly string[]) => `${transaction.end.oh} ${marks.length}`;
  if (marked.length === 0 || now(marked) === triedAt) return triedAt;
  const own = await transaction.readAfter(base.g);
  const notes = await readNotes(transaction, own);
  const first = own.findIndex(({ commit }) => notes.get(commit.commandId)?.mustDecide === true);
  // What still has to wait is marked anew.
  for (const commandId of marked) beside.delete('marked', commandId);
  if (first !== -1) await rebase(transaction, own.slice(first), { from: own[first - 1]?.g ?? base.g }, decider);
  return now(await beside.ids('marked'));
}
