/**
 * What the world may say no with. Plain data: it crosses the worker boundary, where error classes lose theirs.
 *
 * `text` says what happened, with the names involved, the likely cause, and what to do.
 */
export type Failure =
  | StorageFailure
  | EngineFailure
  | StreamConflict
  | AppendConflict
  | UnreadableEvent
  | ImportRefusal;

/**
 * The device's storage said no; nothing of the command was written, but for one case of `storage.failed`.
 *
 * - `storage.quota-exceeded`: the device or the site's share of it is full.
 * - `storage.unavailable`: the database cannot be opened (private mode, blocked, broken).
 * - `storage.outdated`: another tab runs a newer version of the app. Reload.
 * - `storage.reset`: events that were here are gone (site data cleared, evicted, a damaged disk). Nothing is written until the app says so.
 * - `storage.replaced`: an import has put another log in the place of the one that was open. It is opened anew.
 * - `storage.damaged`: events that were stored are missing or cannot be read; `text` has their positions.
 * - `storage.event-refused`: an event holds what cannot be stored; `text` has the path.
 * - `storage.failed`: anything else that IndexedDB reports. Where a connection was lost for good, `text` says that nobody
 *   knows whether the command was saved; sending it again with its id is safe.
 */
export interface StorageFailure {
  readonly type:
    | 'storage.quota-exceeded'
    | 'storage.unavailable'
    | 'storage.outdated'
    | 'storage.reset'
    | 'storage.replaced'
    | 'storage.damaged'
    | 'storage.event-refused'
    | 'storage.failed';
  readonly text: string;
  /** What the browser said, where it said something. */
  readonly detail?: string;
}

/**
 * The worker could not do it.
 *
 * - `engine.stopped`: the worker could not be started, or died again and again. The outcome of open commands is unknown;
 *   sending one again with the same command id is safe.
 * - `engine.cancelled`: the caller cancelled; nothing was saved.
 * - `engine.mismatch`: page and worker come from two builds of the app. Reload.
 */
export interface EngineFailure {
  readonly type: 'engine.stopped' | 'engine.cancelled' | 'engine.mismatch';
  readonly text: string;
}

/** The stream had moved on from the revision that the command was told to expect. Nothing was saved. */
export interface StreamConflict {
  readonly type: 'stream.conflict';
  readonly text: string;
  readonly stream: string;
  readonly expected: ExpectedRevision;
  /** The stream's revision; −1 where it has no event. */
  readonly actual: number;
}

/**
 * An event that the decision had not seen matches its condition. Nothing was saved: decide again on what is there now.
 *
 * Only who appends to a log's port with a condition meets it: commands and decisions read what they append on.
 */
export interface AppendConflict {
  readonly type: 'append.conflict';
  readonly text: string;
  /** Position of the first event that matches. */
  readonly position: number;
}

/**
 * The decision depends on an event that this build of the app cannot read. Nothing was saved, and the event stays.
 *
 * - `event.future`: a newer build wrote it: its type is unknown here, or its version.
 * - `event.upcaster-failed`: an upcaster threw on it.
 */
export interface UnreadableEvent {
  readonly type: 'event.future' | 'event.upcaster-failed';
  readonly text: string;
  readonly eventType: string;
  /** Schema number that it was stored with. */
  readonly version: number;
  readonly position: number;
}

/**
 * A file is not an export of this app's log, or is not as it was written; or something was saved while it was read, or
 * another import began. Nothing was changed.
 */
export interface ImportRefusal {
  readonly type: 'import.refused';
  /** Has the line and what is wrong with it, or what was in the way. */
  readonly text: string;
}

/** What a command demands of its stream before it decides. A number is the revision of the stream's last event. */
export type ExpectedRevision = number | 'no-stream' | 'stream-exists' | 'any';

/** Carries a failure through code that throws: what `read`, `export` and `rebuild` fail with. Receipts hold the bare failure. */
export class FailureError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.text, options);
    this.name = 'FailureError';
    this.failure = failure;
  }
}

/** Whether a stream at revision `actual` (−1: no event) is what a command demanded. */
export function isExpectedRevision(expected: ExpectedRevision, actual: number): boolean {
  switch (expected) {
    case 'any':
      return true;
    case 'no-stream':
      return actual === -1;
    case 'stream-exists':
      return actual >= 0;
    default:
      return actual === expected;
  }
}
