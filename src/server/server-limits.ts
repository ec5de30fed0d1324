import type { SyncLimits } from '../protocol/sync-messages.ts';

/** What clients are told of, what is counted for each actor and device, and what a log may take of the server. */
export interface ServerLimits extends SyncLimits {
  readonly requestsPerSecond: number;
  readonly requestBurst: number;
  readonly eventsPerSecond: number;
  readonly eventBurst: number;
  /** Event streams that one actor may hold open. */
  readonly streams: number;
  /** The rule for commits: over one of them, and about as long over all of a push. The log is locked meanwhile. */
  readonly policyMs: number;
  /** What a log may grow to, by the canonical texts of its commits: tables and indexes take about twice that. */
  readonly logBytes: number;
}

export const defaultLimits: ServerLimits = {
  bodyBytes: 1_048_576,
  pushCommits: 256,
  pushEvents: 1_000,
  eventBytes: 65_536,
  // The payload's 64, and what stands around it in a push.
  jsonDepth: 72,
  pageEvents: 1_000,
  pageBytes: 1_048_576,
  requestsPerSecond: 20,
  requestBurst: 60,
  // A device that had years without sync pushes them once: 100,000 events in less than three minutes, at a seventh of
  // what the embedded database takes of one (docs/performance.md).
  eventsPerSecond: 500,
  eventBurst: 20_000,
  streams: 20,
  policyMs: 5_000,
  // Some millions of events.
  logBytes: 1_073_741_824,
};

/** Without what a client need not know. */
export function toSyncLimits(limits: ServerLimits): SyncLimits {
  const { bodyBytes, pushCommits, pushEvents, eventBytes, jsonDepth, pageEvents, pageBytes } = limits;
  return { bodyBytes, pushCommits, pushEvents, eventBytes, jsonDepth, pageEvents, pageBytes };
}
