import { FailureError } from '../core/errors.ts';
import { type EventQuery, matchesFilter, matchesQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import { type ChainEnd, chainStart, linkCommit } from '../protocol/commit-digest.ts';
import { bytesToHex } from '../protocol/hex.ts';
import { appendConflict, streamConflict } from './append-condition.ts';
import { type CheckpointStore, createMemoryCheckpointStore } from './checkpoint-store.ts';
import type {
  AppendCondition,
  EventLog,
  GrowthListener,
  LogTransaction,
  NewCommit,
  StoredCommit,
} from './event-log.ts';
import { recordCommit } from './record-commit.ts';
import { createMemorySnapshotStore, type SnapshotStore } from './snapshot-store.ts';

export interface MemoryEventLogOptions {
  readonly logId?: string;
  /** Who its commits are written by. */
  readonly client?: string;
}

export interface MemoryEventLog extends EventLog {
  /** Opens the same events once more, as another tab does; each is closed on its own. */
  open(): MemoryEventLog;
}

/** An event log in memory: for tests, and for the server side of a render. Nothing survives it. */
export function createMemoryEventLog({
  logId = 'memory',
  client = 'memory',
}: MemoryEventLogOptions = {}): MemoryEventLog {
  return openMemory(logId, createMemory(logId, client));
}

const pageSize = 1000;

/** What all who have opened the log share. */
interface Memory {
  readonly stored: Stored;
  readonly snapshots: SnapshotStore;
  readonly checkpoints: CheckpointStore;
  readonly listeners: Set<GrowthListener>;
  write<Result>(work: (transaction: LogTransaction) => Promise<Result>): Promise<Result>;
}

/** Everything there is, found by position, stream and command id. Only ever added to, a whole write at a time. */
interface Stored {
  readonly commits: StoredCommit[];
  readonly events: RecordedEvent[];
  readonly eventsByStream: Map<string, RecordedEvent[]>;
  readonly eventsByCommand: Map<string, readonly RecordedEvent[]>;
}

function createMemory(logId: string, client: string): Memory {
  const stored = createStored();
  const listeners = new Set<GrowthListener>();
  let end = chainStart;
  let queue: Promise<unknown> = Promise.resolve();

  async function runAlone<Result>(work: (transaction: LogTransaction) => Promise<Result>): Promise<Result> {
    const staged = stage(logId, client, stored, end);
    const result = await work(staged.transaction);
    // Reached only where `work` did not throw: this is the commit.
    if (staged.commits.length === 0) return result;
    end = staged.end;
    for (const commit of staged.commits) store(stored, commit);
    // Not from here: what a listener throws is not the writer's.
    for (const listener of listeners)
      queueMicrotask(() => listeners.has(listener) && listener(stored.events.length, []));
    return result;
  }

  return {
    stored,
    snapshots: createMemorySnapshotStore((position) => isCommitEnd(stored, position)),
    checkpoints: createMemoryCheckpointStore(),
    listeners,
    write: (work) => {
      const result = queue.then(() => runAlone(work));
      queue = result.catch(() => undefined);
      return result;
    },
  };
}

function openMemory(logId: string, memory: Memory): MemoryEventLog {
  const { stored, snapshots, checkpoints, listeners } = memory;
  const own = new Set<GrowthListener>();
  let closed = false;

  const requireOpen = () => {
    if (!closed) return;
    const text = `The event log "${logId}" was closed by the app. Nothing was read or saved: open it again.`;
    throw new FailureError({ type: 'storage.failed', text });
  };
  const forget = (listener: GrowthListener) => {
    own.delete(listener);
    listeners.delete(listener);
  };

  return {
    logId,
    snapshots,
    openCheckpoints: async () => whileOpen(checkpoints, requireOpen),
    write: async (work) => {
      requireOpen();
      return memory.write(work);
    },
    read: async function* (query) {
      requireOpen();
      for (const page of toPages(readStored(stored, query))) {
        requireOpen();
        yield page;
      }
    },
    readCommits: async function* (from = 1) {
      requireOpen();
      const first = stored.commits.findIndex(({ events }) => (events.at(-1)?.position ?? 0) >= from);
      for (const page of first === -1 ? [] : toPages(stored.commits.slice(first))) {
        requireOpen();
        yield page;
      }
    },
    verify: async ({ onProgress, signal } = {}) => {
      requireOpen();
      signal?.throwIfAborted();
      onProgress?.({ done: stored.events.length, total: stored.events.length });
      // Frozen since they were linked: nobody can have changed them.
      return { status: 'verified', events: stored.events.length };
    },
    head: async () => {
      requireOpen();
      return stored.events.length;
    },
    revisions: async (streams) => {
      requireOpen();
      return streams.map((stream) => revisionOf(stored, stream));
    },
    onGrowth: (listener) => {
      // One of its own for each call: the same function may listen twice.
      const listen: GrowthListener = (head, events) => listener(head, events);
      own.add(listen);
      listeners.add(listen);
      return () => forget(listen);
    },
    order: { confirmed: undefined, rebases: 0 },
    onRebase: () => () => undefined,
    openSync: () => Promise.reject(new Error('Not yet.')),
    open: () => openMemory(logId, memory),
    close: () => {
      closed = true;
      for (const listener of own) forget(listener);
    },
  };
}

/** A transaction over what is stored; what it appends stands beside it until the write is through. */
function stage(logId: string, client: string, stored: Stored, start: ChainEnd) {
  const added = createStored();
  let end = start;

  const headOf = () => stored.events.length + added.events.length;
  const revision = (stream: string) => Math.max(revisionOf(added, stream), revisionOf(stored, stream));
  const append = (commit: NewCommit, condition: AppendCondition = {}) => {
    checkCondition(condition, revision, [stored.events, added.events]);
    const revisions = new Map(commit.events.map(({ stream }) => [stream, revision(stream)]));
    const { events, payloads } = recordCommit(commit, headOf(), revisions);
    const { commandId, correlationId, causationId, recordedAt } = commit;
    const head = {
      commandId,
      correlationId,
      ...(causationId === undefined ? {} : { causationId }),
      recordedAt,
      client,
      clientSeq: stored.commits.length + added.commits.length + 1,
    };
    end = linkCommit(logId, head, events, payloads, end);
    store(added, Object.freeze({ ...head, orderHash: bytesToHex(end.order), events: Object.freeze(events) }));
    return events;
  };

  const transaction: LogTransaction = {
    get head() {
      return headOf();
    },
    revisions: async (streams) => streams.map(revision),
    readStream: async (stream, fromRevision) => [
      ...(stored.eventsByStream.get(stream)?.slice(Math.max(0, fromRevision)) ?? []),
      ...(added.eventsByStream.get(stream)?.filter((event) => event.revision >= fromRevision) ?? []),
    ],
    readMatching: async (filters, after) =>
      [stored.events, added.events].flatMap((events) =>
        events.filter((event) => event.position > after && filters.some((filter) => matchesFilter(event, filter))),
      ),
    findCommit: async (commandId) => stored.eventsByCommand.get(commandId) ?? added.eventsByCommand.get(commandId),
    append: async (commit, condition) => append(commit, condition),
    turn: () => new Promise((resolve) => setTimeout(resolve)),
  };
  return {
    transaction,
    commits: added.commits,
    get end() {
      return end;
    },
  };
}

function checkCondition(
  { expectedRevisions = {}, failIfEventsMatch = [], after = 0 }: AppendCondition,
  revision: (stream: string) => number,
  parts: readonly (readonly RecordedEvent[])[],
): void {
  for (const [stream, expected] of Object.entries(expectedRevisions)) {
    const actual = revision(stream);
    if (actual !== expected) throw streamConflict(stream, expected, actual);
  }
  if (failIfEventsMatch.length === 0) return;
  for (const events of parts) {
    const unseen = Math.max(0, after + 1 - (events[0]?.position ?? 1));
    for (let index = unseen; index < events.length; index += 1) {
      const event = events[index] as RecordedEvent;
      if (failIfEventsMatch.some((filter) => matchesFilter(event, filter))) throw appendConflict(after, event.position);
    }
  }
}

function createStored(): Stored {
  return { commits: [], events: [], eventsByStream: new Map(), eventsByCommand: new Map() };
}

function store(stored: Stored, commit: StoredCommit): void {
  stored.commits.push(commit);
  stored.eventsByCommand.set(commit.commandId, commit.events);
  for (const event of commit.events) {
    stored.events.push(event);
    const stream = stored.eventsByStream.get(event.stream);
    if (stream === undefined) stored.eventsByStream.set(event.stream, [event]);
    else stream.push(event);
  }
}

function revisionOf(stored: Stored, stream: string): number {
  return stored.eventsByStream.get(stream)?.at(-1)?.revision ?? -1;
}

function readStored({ events, eventsByStream }: Stored, query: EventQuery): RecordedEvent[] {
  const { stream, from = 1, to = events.length, backwards = false, limit } = query;
  const candidates =
    stream === undefined ? events.slice(Math.max(0, from - 1), Math.max(0, to)) : (eventsByStream.get(stream) ?? []);
  const found = candidates.filter((event) => matchesQuery(event, query));
  if (backwards) found.reverse();
  return found.slice(0, limit);
}

function* toPages<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += pageSize) yield items.slice(start, start + pageSize);
}

function isCommitEnd({ events }: Stored, position: number): boolean {
  if (position > events.length) return false;
  return events[position - 1]?.meta.commandId !== events[position]?.meta.commandId;
}

/** What each opening of the log gives away of what all of them share: it ends with the opening. */
function whileOpen(checkpoints: CheckpointStore, requireOpen: () => void): CheckpointStore {
  return {
    load: async (consumer) => {
      requireOpen();
      return checkpoints.load(consumer);
    },
    save: async (consumer, change) => {
      requireOpen();
      return checkpoints.save(consumer, change);
    },
    loadInstances: async (consumer, keys) => {
      requireOpen();
      return checkpoints.loadInstances(consumer, keys);
    },
    nextDeadline: async (consumer) => {
      requireOpen();
      return checkpoints.nextDeadline(consumer);
    },
  };
}
