import type { EventLog } from '../../log/event-log.ts';

/** One promise of the event log, as a test for any runner: `it(name, run)`. */
export interface ConformanceCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** A new, empty log. */
export interface ConformanceLog {
  readonly log: EventLog;
  /** Opens the same storage once more, as another tab does. What it returns is closed after the case. */
  readonly open: () => Promise<EventLog>;
  /**
   * False where appends through one opening cannot be heard of in another, because the platform has no channel between
   * them. Growth is then checked within one opening only.
   */
  readonly sharesGrowth?: boolean;
}

/** Opens a new, empty log that shares nothing with those before it. */
export type EventLogFactory = () => Promise<ConformanceLog>;

/** The cases of one concern by name: a sentence about what the log does. */
export interface ConformanceCases {
  readonly [name: string]: (opened: Required<ConformanceLog>) => Promise<void>;
}
