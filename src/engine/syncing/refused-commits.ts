import type { Refused } from '../../core/receipt.ts';
import type { BesideLog } from '../../log/synced-log.ts';
import type { RefusedCommit } from '../../protocol/engine-api.ts';

// Own commits that were withdrawn: kept beside the log with the reason why, until the app has dealt with them.

export function keepRefused(beside: BesideLog, refused: RefusedCommit): void {
  beside.put('refused', refused.commandId, refused);
}

export async function findRefused(beside: BesideLog, commandId: string): Promise<Refused | undefined> {
  // Written by `keepRefused`.
  const [found] = (await beside.get('refused', [commandId])) as readonly (RefusedCommit | undefined)[];
  if (found === undefined) return undefined;
  const { reason, rejection, refusedAt } = found;
  return { status: 'refused', commandId, reason, ...(rejection === undefined ? {} : { rejection }), refusedAt };
}

/** The longest withdrawn first. */
export async function listRefused(beside: BesideLog): Promise<readonly RefusedCommit[]> {
  const found = (await beside.list('refused')) as readonly (readonly [id: string, refused: RefusedCommit])[];
  return found.map(([, refused]) => refused).sort((one, other) => one.refusedAt - other.refusedAt);
}
