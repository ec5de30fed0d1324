import type { EventFilter } from '../core/event-query.ts';
import type { NewEvent, RecordedEvent } from '../core/events.ts';

export interface WriteOptions {
  /** `strict` (the default) asks the browser to flush to the device before it reports success; `relaxed` does not. */
  readonly durability?: Durability;
}

export type Durability = 'strict' | 'relaxed';

/** What `work` may do inside `write`. */
export interface LogTransaction {
  /** Position of the last event, with those appended in this transaction. */
  readonly head: number;
  /** Revision of each stream, in the order asked; −1 where it has no event. */
  revisions(streams: readonly string[]): Promise<readonly number[]>;
  /** The events of a stream from a revision on. */
  readStream(stream: string, fromRevision: number): Promise<readonly RecordedEvent[]>;
  /** The events after a position that match any of the filters, in order, with those appended in this transaction. */
  readMatching(filters: readonly EventFilter[], after: number): Promise<readonly RecordedEvent[]>;
  /** The events of a command that was committed before, at any time; undefined where it never was. */
  findCommit(commandId: string): Promise<readonly RecordedEvent[] | undefined>;
  /**
   * Appends a commit of at least one event and returns it as recorded.
   *
   * Throws `FailureError` and appends nothing: `storage.event-refused` where an event cannot be stored,
   * `stream.conflict` or `append.conflict` where the condition does not hold. Other appends of the write are not
   * touched by that. A command id is appended once: `findCommit` is asked first.
   */
  append(commit: NewCommit, condition?: AppendCondition): Promise<readonly RecordedEvent[]>;
  /** Waits one turn of the event loop without losing the transaction, so that long work hears of being cancelled. */
  turn(): Promise<void>;
}

/** What must be true of the log for an append; checked in the transaction that appends. */
export interface AppendCondition {
  /** The revision that each of these streams must have; −1: no event. */
  readonly expectedRevisions?: { readonly [stream: string]: number };
  /**
   * The Dynamic Consistency Boundary (dcb.events): refuses where an event after the position `after` matches any of
   * these filters.
   */
  readonly failIfEventsMatch?: readonly EventFilter[];
  /** Last position that the decision has seen; 0 (the default) where it has seen none. */
  readonly after?: number;
}

/** All events of one command, or of several that belong together: the atomic unit. */
export interface NewCommit {
  readonly commandId: string;
  readonly correlationId: string;
  readonly causationId?: string;
  /** Milliseconds since 1970, a whole number. */
  readonly recordedAt: number;
  readonly events: readonly StreamEvent[];
  /** Plain data that is kept beside the commit as long as it is pending; dropped where the log is not synchronised. */
  readonly note?: unknown;
}

/** A new event, the stream that it goes to, and the schema number of its type. */
export interface StreamEvent extends NewEvent {
  readonly stream: string;
  readonly version: number;
}
