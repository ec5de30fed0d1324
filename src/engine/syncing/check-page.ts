import type { CheckedCommit } from '../../log/checked-commit.ts';
import { checkCommit } from '../../log/ordered-commit.ts';
import { orderHash } from '../../protocol/commit-digest.ts';
import { bytesToHex, hexToBytes } from '../../protocol/hex.ts';
import type { PulledPage } from '../../protocol/sync-host.ts';

/**
 * Everything that a page claims, computed anew: before the transaction, which cannot wait for it. @returns what is wrong
 * with it, as the end of a sentence, or its commits.
 */
export function checkPage({ base, commits }: PulledPage, logId: string): string | readonly CheckedCommit[] {
  const checked: CheckedCommit[] = [];
  let { g } = base;
  let oh: Uint8Array = hexToBytes(base.oh);
  for (const pulled of commits) {
    const { commit } = pulled;
    if (commit.logId !== logId) return `it holds a commit of the log "${commit.logId}"`;
    const one = checkCommit(commit, logId);
    g += commit.events.length;
    oh = orderHash(oh, one.digest, g);
    if (pulled.g !== g || pulled.oh !== bytesToHex(oh)) {
      return `its commit "${commit.commandId}" does not follow at position ${g}: it is not what its hash says, or others are missing before it`;
    }
    checked.push(one);
  }
  return checked;
}
