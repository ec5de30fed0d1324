import type { RecordedEvent } from '../../core/events.ts';
import { recordEvent, toMeta } from '../../log/record-commit.ts';
import { orderHash } from '../../protocol/commit-digest.ts';
import { bytesToHex, hexToBytes } from '../../protocol/hex.ts';
import { noHash, type SyncCommit, toCanonicalCommit } from '../../protocol/sync-commit.ts';
import type { StoredSyncCommit, SyncStore } from '../../server/sync-store.ts';

export interface ServerCommit extends StoredSyncCommit {
  readonly commit: SyncCommit;
  readonly digest: string;
}

/** The server's log, and what of it is not as it is computed anew. */
export async function toServerLog(
  store: SyncStore,
  logId: string,
): Promise<{ readonly commits: readonly ServerCommit[]; readonly problems: readonly string[] }> {
  const problems: string[] = [];
  const stored = await store.readCommits(logId, 0, { events: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER });
  let [g, oh] = [0, noHash];
  const commits = stored.map((placed) => {
    const commit = JSON.parse(placed.text) as SyncCommit;
    const { text, digest } = toCanonicalCommit(commit);
    g += commit.events.length;
    oh = bytesToHex(orderHash(hexToBytes(oh), hexToBytes(digest), g));
    if (text !== placed.text) problems.push(`${commit.commandId} is not canonical`);
    if (placed.g !== g) problems.push(`${commit.commandId} ends at ${placed.g}, and ${g} was next`);
    if (placed.oh !== oh) problems.push(`${commit.commandId} has another order hash than is computed`);
    return { ...placed, commit, digest };
  });
  return { commits, problems };
}

/** The events of commits that follow one another, as any log records them. */
export function toEventOf(): (placed: ServerCommit) => readonly RecordedEvent[] {
  const revisions = new Map<string, number>();
  return ({ g, commit }) => {
    const meta = toMeta(commit);
    return commit.events.map((event, index) => {
      const revision = (revisions.get(event.stream) ?? -1) + 1;
      revisions.set(event.stream, revision);
      return recordEvent(event, { index, revision, position: g - commit.events.length + index + 1, meta });
    });
  };
}
