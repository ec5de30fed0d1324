import type { RecordedEvent } from '../core/events.ts';
import type { SyncCommit } from '../protocol/sync-commit.ts';
import type { SyncBase, SyncPlace } from '../protocol/sync-messages.ts';
import type { CheckedCommit } from './checked-commit.ts';
import type { LogTransaction, WriteOptions } from './log-write.ts';

/**
 * The side of a log that sync works on.
 *
 * Everything after the base is **pending**: own commits in the order in which they were saved, with provisional
 * positions, revisions and order hashes. A **rebase** takes them out, puts what a server has placed before them, and
 * appends them again. What stands up to the base is changed only where the server itself went back (`cutAfter`).
 */
export interface SyncedLog {
  /** As `EventLog.write`: one exclusive transaction, stored whole or not at all. */
  write<Result>(work: (transaction: SyncTransaction) => Promise<Result>, options?: WriteOptions): Promise<Result>;
}

/** What a rebase may do. Nothing but its own methods may be awaited inside. */
export interface SyncTransaction extends LogTransaction {
  /** Up to where a server has confirmed; an empty epoch where it never spoke to one. */
  readonly base: SyncBase;
  /** Who writes here; the number of its last commit and that commit's digest. */
  readonly client: string;
  readonly clientSeq: number;
  /** The commits after a place, oldest first, with those placed or appended in this transaction; `limit` at most. */
  readAfter(g: number, limit?: number): Promise<readonly OrderedCommit[]>;
  /**
   * Takes every commit after position `g`, where a commit ends, out of the log. The number and digest that the next own
   * commit follows go back with them. What is kept beside them stays.
   *
   * @returns what was taken out, oldest first.
   */
  cutAfter(g: number): Promise<readonly OrderedCommit[]>;
  /** Appends a commit as its author wrote it, own ones included: number, link and digest stay. Throws where its id is in the log already. */
  place(checked: CheckedCommit): Promise<readonly RecordedEvent[]>;
  /** The place after the last commit. */
  readonly end: SyncPlace;
  setBase(base: SyncBase): void;
  /** What is appended from here on is written by a new client, whose numbers begin at 1. */
  renewClient(): void;
  /** Plain data that is kept beside the log, in transactions with it. */
  readonly beside: BesideLog;
}

/** Kinds: `note`, as it came with an own commit that is pending; the others are sync's own. */
export type BesideKind = 'note' | 'marked' | 'refused' | 'orphan';

export interface BesideLog {
  /** In the order asked. */
  get(kind: BesideKind, ids: readonly string[]): Promise<readonly unknown[]>;
  /** In order of their ids (UTF-16 units). */
  list(kind: BesideKind, limit?: number): Promise<readonly (readonly [id: string, value: unknown])[]>;
  /** In the same order. */
  ids(kind: BesideKind): Promise<readonly string[]>;
  count(kind: BesideKind): Promise<number>;
  put(kind: BesideKind, id: string, value: unknown): void;
  delete(kind: BesideKind, id: string): void;
}

/** A commit as it travels, in its place. `g` is the position of its last event, `oh` its order hash. */
export interface OrderedCommit extends SyncPlace {
  readonly commit: SyncCommit;
  readonly digest: string;
  /** As readers get them. */
  readonly events: readonly RecordedEvent[];
}
