import type { EventFilter } from '../core/event-query.ts';
import type { SyncCommit } from './sync-commit.ts';

/**
 * What a client and a server of sync say to each other. `docs/reference/sync-protocol.md` has the rules.
 *
 * `g` is the server's position in a log, `oh` the order hash of the commit that ends there; times are milliseconds.
 */
export const syncProtocol = 1;

/** A place between two commits of the server's log: after the one that ends at `g`. `g` is 0 and `oh` zeros at the start. */
export interface SyncPlace {
  readonly g: number;
  readonly oh: string;
}

/** The cursor of a client. The epoch says which server it was told by; empty where none was. */
export interface SyncBase extends SyncPlace {
  readonly epoch: string;
}

/** What a server takes and gives at most. */
export interface SyncLimits {
  readonly bodyBytes: number;
  readonly pushCommits: number;
  readonly pushEvents: number;
  readonly eventBytes: number;
  readonly jsonDepth: number;
  readonly pageEvents: number;
  readonly pageBytes: number;
}

export interface HelloRequest {
  /** Lowest and highest protocol that the client speaks. */
  readonly proto: readonly [min: number, max: number];
  readonly app: { readonly name: string; readonly version: number };
  readonly log: string;
  readonly client: string;
  readonly base: SyncBase;
  /** Of the client's last commit, pending ones included; 0 where it has none. */
  readonly lastClientSeq: number;
}

export interface HelloReply {
  /** The protocol to speak from here on. */
  readonly proto: number;
  readonly epoch: string;
  readonly head: SyncPlace;
  /** The last commit of this client that the server has. */
  readonly clientLast: { readonly seq: number; readonly id: string } | null;
  readonly serverTime: number;
  readonly limits: SyncLimits;
  /** Lowest version of the app that may sync. */
  readonly minApp: number;
}

export interface PullRequest {
  readonly log: string;
  readonly base: SyncBase;
  /** Events at most; one whole commit is given all the same. */
  readonly limit: number;
  /** Bytes of commits at most; one whole commit is given all the same. */
  readonly maxBytes: number;
}

export interface PulledCommit extends SyncPlace {
  readonly commit: SyncCommit;
}

export interface PullReply {
  /** As it was asked for: a reply to another base than the client's own is overlooked. */
  readonly base: SyncBase;
  readonly commits: readonly PulledCommit[];
  readonly head: SyncPlace;
}

export interface PushRequest {
  readonly log: string;
  readonly base: SyncBase;
  readonly client: string;
  readonly commits: readonly PushedCommit[];
  /** Of the digest of the last commit. Kept for later: a server stores none and checks none yet. */
  readonly headSignature?: string;
  /** `recover` offers confirmed commits of any client that a restored server has lost. */
  readonly mode: PushMode;
}

export type PushMode = 'own' | 'recover';

export interface PushedCommit {
  readonly commit: SyncCommit;
  readonly digest: string;
  readonly guard?: SyncGuard;
}

/** What must hold where the commit is placed; else it is a `conflict`. */
export interface SyncGuard {
  /** The revision of each stream before this commit; −1 where it has no event. */
  readonly revisions?: readonly StreamRevision[];
  /** No event after `after` matches any filter, but for those of earlier commits of the same client. */
  readonly condition?: { readonly failIfEventsMatch: readonly EventFilter[]; readonly after: number };
}

export interface StreamRevision {
  readonly stream: string;
  readonly revision: number;
}

/**
 * What became of a pushed commit.
 *
 * - `accepted`, `duplicate`: it ends at `g`, now or since an earlier push.
 * - `rejected`: not stored; with `permanent`, the same commit will never be.
 * - `retry`: not stored; to be pushed again after so many milliseconds.
 * - `forked`: another commit stands at the client's number `seq`, or the commit before is another: the profile was copied.
 * - `gap`: the client's commit `expected` has to come first. Nothing after it was looked at.
 * - `conflict`: its guard does not hold: the stream's revision, and the position of the event where a condition met one.
 */
export type PushResult =
  | { readonly type: 'accepted' | 'duplicate'; readonly g: number }
  | { readonly type: 'rejected'; readonly code: string; readonly permanent: boolean }
  | { readonly type: 'retry'; readonly after: number }
  | { readonly type: 'forked'; readonly seq: number }
  | { readonly type: 'gap'; readonly expected: number }
  | { readonly type: 'conflict'; readonly stream: string; readonly revision: number; readonly g?: number };

export interface PushReply {
  readonly base: SyncBase;
  /** In the order of the request; shorter where a `forked` or a `gap` ended it. */
  readonly results: readonly { readonly commitId: string; readonly result: PushResult }[];
  readonly head: SyncPlace;
}

export interface CommonRequest {
  readonly log: string;
  /** The last 8 places, then gaps that double, then the start: newest first. */
  readonly points: readonly SyncPlace[];
}

export interface CommonReply {
  /** The highest of the points that the server has; 0 where it has none. */
  readonly g: number;
}

/** A hint that the head moved. */
export interface SyncPoke {
  readonly epoch: string;
  readonly g: number;
}

/** Every reply with another status than 200. */
export interface SyncError {
  readonly error: SyncErrorCode;
  /** For a developer. */
  readonly text: string;
  /** Of BAD_REQUEST: where in the message. */
  readonly path?: string;
  /** Of THROTTLED and UNAVAILABLE: milliseconds to wait. */
  readonly after?: number;
  /** Of DIVERGED. */
  readonly head?: SyncPlace;
  readonly epoch?: string;
  /** Of UPGRADE_REQUIRED. */
  readonly minApp?: number;
  readonly proto?: readonly [min: number, max: number];
}

export const syncErrorCodes = [
  'BAD_REQUEST',
  'AUTH',
  'FORBIDDEN',
  'NOT_FOUND',
  'UNKNOWN_LOG',
  'METHOD_NOT_ALLOWED',
  'DIVERGED',
  'APP_MISMATCH',
  'TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'UPGRADE_REQUIRED',
  'THROTTLED',
  'FAILED',
  'UNAVAILABLE',
] as const;

export type SyncErrorCode = (typeof syncErrorCodes)[number];
