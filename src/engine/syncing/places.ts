import type { SyncTransaction } from '../../log/synced-log.ts';
import type { SyncPlace } from '../../protocol/sync-messages.ts';

const nearPlaces = 8;

/** The confirmed places to ask a server for what is common: the last 8, then gaps that double, then the start. */
export async function readPlaces({ base, readAfter }: SyncTransaction): Promise<readonly SyncPlace[]> {
  const places: SyncPlace[] = [];
  for (let [at, gap] = [base.g, 1]; at > 0; ) {
    // The commit that holds this position: its end is a place, where it is not past the base.
    const [commit] = await readAfter(at - 1, 1);
    if (commit === undefined) break;
    if (commit.g <= base.g && commit.g !== places.at(-1)?.g) places.push({ g: commit.g, oh: commit.oh });
    if (places.length >= nearPlaces) gap *= 2;
    at = Math.min(at, commit.g - commit.commit.events.length + 1) - gap;
  }
  return [...places, { g: 0, oh: '0'.repeat(64) }];
}
