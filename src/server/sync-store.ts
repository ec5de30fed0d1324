import type { EventFilter } from '../core/event-query.ts';
import type { SyncCommit } from '../protocol/sync-commit.ts';
import type { SyncPlace } from '../protocol/sync-messages.ts';

/**
 * Where a server keeps its logs.
 *
 * What every implementation promises (`sync-store.contract.ts` checks it):
 *
 * 1. `write` is exclusive in its log, also among several servers on one database: positions are given in the order in
 *    which they become visible, without gaps.
 * 2. What `work` appends is stored whole when `write` resolves, and not at all when it rejects.
 * 3. Nothing that was stored is ever changed: there is no update and no delete.
 * 4. Readers see whole commits only.
 */
export interface SyncStore {
  /** Minted with the store, and again by `renewEpoch`: tells clients that this is not the store they knew. */
  readonly epoch: string;
  /**
   * Mints another epoch: after a restore with the database's own tools, which bring the old one back, or where what was
   * stored may be lost.
   */
  renewEpoch(): Promise<void>;
  /**
   * Runs `work`, which restores a dump into the store. Where it broke off after the first commits, also by the end of the
   * process, what is stored is no whole log: it is refused when it is next opened.
   */
  restore<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Undefined where the log was never created. */
  findLog(logId: string): Promise<SyncLog | undefined>;
  /** Gives the log that is there, or creates an empty one. */
  createLog(logId: string, app: string): Promise<SyncLog>;
  /** Every log, for a dump. */
  listLogs(): Promise<readonly SyncLog[]>;
  /** The order hashes at those of the positions at which a commit ends. */
  orderHashes(logId: string, positions: readonly number[]): Promise<ReadonlyMap<number, string>>;
  /** Whole commits after a position, in order: up to the limits, and one where there is any. */
  readCommits(logId: string, after: number, limits: PageLimits): Promise<readonly StoredSyncCommit[]>;
  /** The last commit of a client. */
  clientLast(logId: string, client: string): Promise<ClientLast | undefined>;
  /**
   * Runs `work` in one serialisable transaction of the log; undefined where there is no such log.
   *
   * `work` may be run again after another transaction was in the way, and keeps nothing from the time before. `look` is
   * what it is going to ask for: a store may read it in one go, and for several writes.
   */
  write<Result>(
    logId: string,
    work: (transaction: SyncTransaction) => Promise<Result>,
    look?: PushLook,
  ): Promise<Result | undefined>;
  close(): Promise<void>;
}

export interface SyncLog {
  readonly logId: string;
  readonly app: string;
  readonly head: SyncPlace;
  /** Of all canonical texts. */
  readonly bytes: number;
}

export interface PageLimits {
  readonly events: number;
  /** Of the commits' canonical texts. */
  readonly bytes: number;
}

/** A commit in its place, as it is handed out. */
export interface StoredSyncCommit extends SyncPlace {
  /** Canonical: the bytes that its digest covers. */
  readonly text: string;
  readonly isRecovered: boolean;
  /** Id of who pushed it. */
  readonly actor: string;
  readonly receivedAt: number;
}

export interface ClientLast {
  readonly seq: number;
  readonly id: string;
  readonly digest: string;
}

/** A commit that is known by its id, or stands at a number of its client. */
export interface KnownCommit {
  readonly id: string;
  readonly g: number;
  readonly seq: number;
  readonly digest: string;
}

/** What a push asks of its log. */
export interface PushLook {
  /** Of its base. */
  readonly g: number;
  readonly commandIds: readonly string[];
  readonly client: string;
  readonly seqs: readonly number[];
  readonly streams: readonly string[];
  /** Of its commits' canonical texts and guards, at most. */
  readonly bytes: number;
}

/** What a push asks a log for. */
export interface SyncReads {
  readonly head: SyncPlace;
  /** Of all canonical texts. */
  readonly bytes: number;
  orderHash(g: number): Promise<string | undefined>;
  commitsById(commandIds: readonly string[]): Promise<ReadonlyMap<string, KnownCommit>>;
  /** By number; recovered commits are left out, for they took no number. */
  commitsBySeq(client: string, seqs: readonly number[]): Promise<ReadonlyMap<number, KnownCommit>>;
  /** Whether a client's commit of that number and digest is there, recovered or not. */
  hasCommit(client: string, seq: number, digest: string): Promise<boolean>;
  /** Recovered commits included: who offers one again has it. */
  clientLast(client: string): Promise<ClientLast | undefined>;
  /** Of each stream; −1 where it has no event. */
  revisions(streams: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** The first event after a position that matches a filter, but for those of a client's commits before a number. */
  firstMatch: FirstMatch<Promise<SyncMatch | undefined>>;
}

/** What a push may do inside `write`. Reads see what was appended before. */
export interface SyncTransaction extends SyncReads {
  /** In order, each beginning after the end of the one before; moves `head`. */
  append(commits: readonly PlacedCommit[]): Promise<void>;
}

export type FirstMatch<Found> = (
  filters: readonly EventFilter[],
  after: number,
  except: { readonly client: string; readonly beforeSeq: number },
) => Found;

export interface SyncMatch {
  readonly stream: string;
  readonly revision: number;
  readonly g: number;
}

/** A commit with all that follows from its place. */
export interface PlacedCommit extends StoredSyncCommit {
  readonly commit: SyncCommit;
  readonly digest: string;
  /** Of its canonical text. */
  readonly bytes: number;
  /** Of each event, in order. */
  readonly revisions: readonly number[];
}
