import type { Failure } from '../core/errors.ts';
import type { EventQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { LogTransaction, WriteOptions } from './log-write.ts';
import type { SnapshotStore } from './snapshot-store.ts';
import type { SyncedLog } from './synced-log.ts';

export type {
  AppendCondition,
  Durability,
  LogTransaction,
  NewCommit,
  StreamEvent,
  WriteOptions,
} from './log-write.ts';

/**
 * The event log: append-only, shared by every tab that opens it.
 *
 * What every implementation promises (`testing/event-log-conformance.ts` checks it):
 *
 * 1. A commit is stored whole or not at all, and no reader ever sees a part of it.
 * 2. Positions are 1 … n without gaps; revisions are 0 … n without gaps in each stream; also with many writers.
 * 3. `write` is exclusive: between what `work` reads and what it appends, nobody else appends, in any tab.
 * 4. `write` resolves only after the storage has committed. If it rejects, nothing of it was stored; only where the
 *    storage was lost on the way and could not be had again (`storage.failed`) is that not known. The command id tells.
 * 5. What was stored is never changed, and what is confirmed never moves: there is no update and no delete. With sync,
 *    what is pending may be put behind others, or be withdrawn (`SyncedLog`), until a server has confirmed it.
 * 6. Every commit is linked to the one before by its order hash (`protocol/commit-digest.ts`).
 */
export interface EventLog {
  /** 128 random bits, minted with the log: tells this log from one that was started anew in its place. */
  readonly logId: string;
  /** Where it is kept: tabs that share it find each other by this. A browser may keep two copies of one log. */
  readonly address: string;
  /** Shortcuts for who folds the log; never more than a cache. */
  readonly snapshots: SnapshotStore;
  /** How final the order is, as the newest transaction of this opening has found it. */
  readonly order: LogOrder;
  /** Where those who follow the log with effects keep how far they have come; never a cache. Closed with the log. */
  openCheckpoints(): Promise<CheckpointStore>;
  /**
   * Runs `work` in one exclusive read-write transaction.
   *
   * `work` may await nothing but the transaction's own methods: IndexedDB commits as soon as it has no request to wait
   * for. It may be run again, where the connection to the storage was lost and the outcome is unknown: so it looks the
   * command id up first.
   *
   * Throws `FailureError` with a storage failure; what `work` throws is passed on. Both leave the log as it was.
   */
  write<Result>(work: (transaction: LogTransaction) => Promise<Result>, options?: WriteOptions): Promise<Result>;
  /**
   * Pages of events in order of position, none of them empty; never the whole log at once.
   *
   * A page is of one order, and a read ends early rather than go on in another one: a page counts only where
   * `order.rebases` is still what it was before the read, and so does the end. The same holds for `readCommits`.
   */
  read(query: EventQuery): AsyncIterable<readonly RecordedEvent[]>;
  /** Pages of whole commits with their links, from the commit that holds a position on; no page is empty. */
  readCommits(from?: number): AsyncIterable<readonly StoredCommit[]>;
  /** Computes both chains anew from the first commit on, and compares everything that is stored with them. */
  verify(options?: VerifyOptions): Promise<Verification>;
  /** Position of the last event; 0 where the log is empty. */
  head(): Promise<number>;
  /** Revision of each stream, in the order asked; −1 where it has no event. */
  revisions(streams: readonly string[]): Promise<readonly number[]>;
  /**
   * Calls `listener` when the log has grown, or more of it was confirmed, here or in another tab, until the returned function is called. A hint that
   * may be missed (a frozen tab): nothing may depend on it but speed.
   */
  onGrowth(listener: GrowthListener): () => void;
  /**
   * Calls `listener` when a transaction of this opening finds that what is pending was put into another order, here or
   * in another tab: before anybody gets what that transaction has read.
   */
  onRebase(listener: RebaseListener): () => void;
  /** The side that sync works on; from the first call on the log is synchronised, in every tab. */
  openSync(): Promise<SyncedLog>;
  /** Later calls reject; a write that is under way is finished. Other openings of the same log stay open. */
  close(): void;
}

/** Everything after `fork` may be other than before; with `isSetBack`, also what was confirmed: a server was put back. */
export type RebaseListener = (fork: number, isSetBack: boolean) => void;

export interface LogOrder {
  /** Position up to which a server has confirmed it. What follows is pending. Undefined without sync: then all is final. */
  readonly confirmed: number | undefined;
  /** How many times what is pending was put into another order. */
  readonly rebases: number;
}

export interface VerifyOptions {
  /** Told now and then how many events have been checked, of how many. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  /** Ends the check: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What a check of the chains found: how many events are as they were written, or the first position that is not. */
export type Verification =
  | { readonly status: 'verified'; readonly events: number }
  | { readonly status: 'broken'; readonly position: number; readonly text: string };

/** A commit as it was stored, with its links (`protocol/commit-digest.ts`). */
export interface StoredCommit {
  readonly commandId: string;
  readonly correlationId: string;
  readonly causationId?: string;
  readonly recordedAt: number;
  /** Who wrote it: 128 random bits, minted with the database. */
  readonly client: string;
  /** The how manieth commit of that client it is, from 1. */
  readonly clientSeq: number;
  /** Digest of that client's commit before, as its author saw it: 64 hexadecimal digits. */
  readonly prev: string;
  /** Links it to the commit before: 64 hexadecimal digits. */
  readonly orderHash: string;
  readonly events: readonly RecordedEvent[];
}

/** Gets the new head, and the stored events that it grew by where they are few and at hand: as `read` gives them, or none. */
export type GrowthListener = (head: number, events: readonly RecordedEvent[]) => void;

/** Told once, where a log closes without having been asked to. */
export type LogClosedListener = (failure: Failure) => void;
