import type { PulledCommit, PushedCommit, PushMode, SyncBase, SyncLimits, SyncPlace } from './sync-messages.ts';

/**
 * Sync as an app's worker file names it: `startWorker(bank, { sync: httpSync({ … }) })`. The engine knows no more of it
 * than this, and it knows no more of the engine than `SyncHost`.
 */
export interface Sync {
  /** Begins to keep a log in step with its server, and goes on until it is stopped. */
  start(host: SyncHost): SyncRun;
  /** Who uses the app at the moment: what they save is pushed with nobody else's token. Empty where there is one user. */
  principal?(): string;
}

export interface SyncRun {
  /** Tries now, whatever it is waiting for: the user asked, the page became visible, the network came back. */
  wake(): void;
  /** Resolves when nothing of it is under way any more. */
  stop(): Promise<void>;
}

/**
 * What sync may ask of the engine, whose side decides again, folds again and stores. Every change is one transaction of
 * the log that compares before it changes, so that two tabs may do the same at the same time.
 *
 * Throws `FailureError` where the storage fails; nothing has changed then.
 */
export interface SyncHost {
  readonly logId: string;
  readonly app: { readonly name: string; readonly version: number };
  readonly env: SyncEnv;
  readState(): Promise<SyncState>;
  /**
   * Pending commits to be offered, oldest first, with their guards; as many as the limits allow, one at least. What an
   * import brought comes first and in a page of its own.
   */
  readPush(query: PushQuery): Promise<PushPage>;
  /**
   * Stores a page that was pulled (rules 1 to 4 of the client): compares `base` with the log's own, every order hash and
   * every digest; rebases what is pending, decides again what has to be; moves the base to the page's end. All or nothing.
   */
  applyPage(page: PulledPage): Promise<PageOutcome>;
  /** A server answered so: sent again no sooner than that. Receipts become `pushed`. */
  noteAcknowledged(commits: readonly PushedId[]): void;
  /**
   * Withdraws pending commits that will never be taken; what was decided on them is decided again. What was withdrawn is
   * kept with its reason. One that is no longer pending with this digest is left alone.
   */
  refuse(refusals: readonly (PushedId & SyncReason)[]): Promise<void>;
  /** The places to ask a server for what is common: the last 8, then gaps that double, then the start; 128 at most. */
  readPlaces(): Promise<readonly SyncPlace[]>;
  /**
   * The server's history ends at `g` for this log: own commits after it are pending again, foreign ones are kept aside as
   * orphans. Does nothing where `base` is no longer the log's own.
   */
  goBack(base: SyncBase, g: number): Promise<void>;
  /** Somebody else writes under this client's id: what is pending is written anew under another one. */
  renewClient(client: string): Promise<void>;
  /** Commits of others that a restored server has lost, oldest first. */
  readOrphans(limits: SyncLimits): Promise<readonly PushedCommit[]>;
  /**
   * Lets go of what the server has again. What it will never take is kept as withdrawn, with its reason, unless the log
   * has a commit of that id by now: its author has brought it back.
   */
  settleOrphans(taken: readonly PushedId[], refusals: readonly (PushedId & SyncReason)[]): Promise<void>;
  /** Calls `listener` when there may be something to push. */
  onPending(listener: () => void): () => void;
  /** Once per browser: runs `work` when no other tab of this log does, until `signal` is aborted. */
  exclusively(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>;
  report(progress: SyncProgress): void;
}

/** Where time and chance come in. */
export interface SyncEnv {
  /** Milliseconds since 1970. */
  now(): number;
  /** At least 0 and below 1. */
  random(): number;
  /** Calls `run` once after some time, unless the returned function is called before. */
  callLater(run: () => void, delayMs: number): () => void;
}

export interface SyncState {
  readonly base: SyncBase;
  readonly client: string;
  /** Of this client's last commit, pending ones included; 0 where it has none. */
  readonly lastClientSeq: number;
  /** Commits. */
  readonly pending: number;
  readonly orphans: number;
  readonly refused: number;
}

export interface PushQuery {
  readonly limits: SyncLimits;
  /** Who signed in: the list ends before the first commit of anybody else. */
  readonly principal: string;
  /** Answered already: left out. */
  readonly isAcknowledged: (id: PushedId) => boolean;
}

export interface PushPage {
  readonly base: SyncBase;
  readonly client: string;
  /** `recover` where an import brought them: other clients wrote them, and may still write elsewhere. */
  readonly mode: PushMode;
  readonly commits: readonly PushedCommit[];
  /** What the next one waits for: somebody else's sign-in, or a newer version of the app, which can decide it again. */
  readonly waitsFor?: 'principal' | 'version' | undefined;
}

export interface PushedId {
  readonly commandId: string;
  readonly digest: string;
}

export interface PulledPage {
  readonly base: SyncBase;
  /** Of the server that gave it: becomes the epoch of the new base. */
  readonly epoch: string;
  readonly commits: readonly PulledCommit[];
}

/**
 * - `applied`: the base is the page's end. `renewed`: it held commits under this client's id that it never wrote.
 * - `stale`: the log's base is another one by now; nothing was changed.
 * - `broken`: the page does not follow from its base, or is not what its hashes say; nothing was changed. `text` says how, as the
 *   end of a sentence.
 */
export type PageOutcome =
  | { readonly status: 'applied'; readonly base: SyncBase; readonly renewed: boolean }
  | { readonly status: 'stale' }
  | { readonly status: 'broken'; readonly text: string };

/** Why a commit is refused, or sync does not go on: a code of the protocol, of the policy, or of Varve, and a text. */
export interface SyncReason {
  readonly code: string;
  readonly text: string;
}

/** How sync is doing, for people. */
export interface SyncStatus extends Omit<SyncProgress, 'phase'> {
  readonly phase: SyncProgress['phase'] | 'starting';
  /** Commits that are saved here and not confirmed. */
  readonly pending: number;
  /** How many of them the server has said that it has. */
  readonly pushed: number;
  /** Position up to which the order is the server's. */
  readonly confirmed: number;
  /** Commits that were withdrawn, and are kept until the app has dealt with them. */
  readonly refused: number;
}

/** How sync is doing: what the loop knows. */
export interface SyncProgress {
  /**
   * - `syncing`: it speaks with the server.
   * - `synced`: nothing is left to do.
   * - `waiting`: something was in the way; `problem` says what, `nextWakeAt` when it is tried again.
   * - `paused`: it needs somebody: a token, another user, a newer version of the app.
   * - `elsewhere`: another tab does it. What is in its way, its next time, and when it had all, are that one's.
   */
  readonly phase: 'syncing' | 'synced' | 'waiting' | 'paused' | 'elsewhere';
  readonly problem?: SyncReason;
  /** Milliseconds since 1970: there is always a next time. */
  readonly nextWakeAt: number;
  /** When it last heard that it has all of the server's, and the server all of its own. */
  readonly syncedAt?: number;
}
