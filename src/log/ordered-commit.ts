import { FailureError } from '../core/errors.ts';
import type { RecordedEvent } from '../core/events.ts';
import { hardMaxEventBytes } from '../protocol/commit-checks.ts';
import { commitDigest, commitText } from '../protocol/commit-digest.ts';
import { hexToBytes } from '../protocol/hex.ts';
import { Refusal, readHash, readId, readInteger } from '../protocol/parse.ts';
import type { SyncCommit, SyncEvent } from '../protocol/sync-commit.ts';
import type { CheckedCommit } from './checked-commit.ts';
import type { StoredCommit } from './event-log.ts';
import { checkContents } from './record-commit.ts';
import type { OrderedCommit } from './synced-log.ts';

/**
 * All of `place` that needs no place: most of the work, and done before the transaction, for which others wait.
 *
 * Throws `FailureError` with `storage.event-refused` where this log cannot hold it, or not to the letter: its digest
 * would be another one.
 */
export function checkCommit(commit: SyncCommit, logId: string): CheckedCommit {
  if (commit.logId !== logId) throw refused(commit, `it is of the log "${commit.logId}", and this is "${logId}"`);
  try {
    readId(commit.client, 'its client');
    readInteger(commit.clientSeq, 'its number', 1);
    readHash(commit.prev, 'its link');
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw refused(commit, `${error.path} ${error.message}`);
  }
  for (const { tags } of commit.events) {
    const isInOrder =
      tags === undefined || (tags.length > 0 && tags.every((tag, at) => !(tag <= (tags[at - 1] ?? ''))));
    if (!isInOrder) throw refused(commit, 'its tags are not sorted, each once');
  }
  const contents = checkContents(commit, hardMaxEventBytes);
  const payloads = contents.map(({ text }) => text);
  const digest = commitDigest(commitText(logId, commit, commit.events, payloads, hexToBytes(commit.prev)));
  return { commit, contents, digest };
}

/** A stored commit as it travels. */
export function toOrderedCommit(logId: string, stored: StoredCommit, digest: string): OrderedCommit {
  const { commandId, correlationId, causationId, recordedAt, client, clientSeq, prev, orderHash, events } = stored;
  const cause = causationId === undefined ? {} : { causationId };
  const lineage = { commandId, correlationId, ...cause, recordedAt };
  const commit: SyncCommit = { logId, ...lineage, client, clientSeq, prev, events: events.map(toSyncEvent) };
  return { g: events.at(-1)?.position ?? 0, oh: orderHash, commit, digest, events };
}

function toSyncEvent({ stream, type, version, data, tags }: RecordedEvent): SyncEvent {
  return { stream, type, version, data, ...(tags === undefined ? {} : { tags }) };
}

function refused({ commandId }: SyncCommit, problem: string): FailureError {
  return new FailureError({
    type: 'storage.event-refused',
    text: `The commit "${commandId}" cannot be stored: ${problem}. Nothing was saved. Somebody else wrote it: a server must not have taken it.`,
  });
}
