import { hardMaxEventBytes } from '../protocol/commit-checks.ts';
import { maxPageCommits } from '../protocol/parse-sync-reply.ts';
import { maxPushCommits } from '../protocol/parse-sync-request.ts';
import { maxCommitEvents } from '../protocol/sync-commit.ts';
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

/**
 * Of a commit's canonical text, whatever the limits are: a client reads 16 MiB of a reply, and a commit is pulled whole.
 * A larger one would stop every device for good.
 */
export const maxCommitBytes: number = 15 * 1_048_576;

/** What the protocol has room for: a client is told these, and acts on them. */
const highest: SyncLimits = {
  bodyBytes: Number.MAX_SAFE_INTEGER,
  pushCommits: maxPushCommits,
  pushEvents: maxCommitEvents,
  eventBytes: hardMaxEventBytes,
  jsonDepth: Number.MAX_SAFE_INTEGER,
  // As many commits, where each has one event.
  pageEvents: maxPageCommits,
  pageBytes: Number.MAX_SAFE_INTEGER,
};

/** The limits of a server that was given some of them. Throws where no client can live with one. */
export function toServerLimits(given: Partial<ServerLimits> = {}): ServerLimits {
  const limits = { ...defaultLimits, ...given };
  for (const [name, value] of Object.entries(toSyncLimits(limits))) {
    requireInteger(`The limit ${name}`, value, 1, highest[name as keyof SyncLimits]);
  }
  return limits;
}

/** What a client is told has to be a number that it can read. */
export function requireInteger(what: string, value: number, min: number, max: number = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new RangeError(`${what} is ${value}, and has to be a whole number from ${min} to ${max}.`);
}

/** Without what a client need not know. */
export function toSyncLimits(limits: ServerLimits): SyncLimits {
  const { bodyBytes, pushCommits, pushEvents, eventBytes, jsonDepth, pageEvents, pageBytes } = limits;
  return { bodyBytes, pushCommits, pushEvents, eventBytes, jsonDepth, pageEvents, pageBytes };
}
