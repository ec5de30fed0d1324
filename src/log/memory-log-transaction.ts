import { type EventFilter, matchesFilter } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import { type CommitHead, chainStart, linkCommit, orderHash } from '../protocol/commit-digest.ts';
import { bytesToHex, hexToBytes } from '../protocol/hex.ts';
import { noHash } from '../protocol/sync-commit.ts';
import { appendConflict, streamConflict } from './append-condition.ts';
import type { CheckedCommit } from './checked-commit.ts';
import type { AppendCondition, NewCommit, StoredCommit } from './event-log.ts';
import type { SyncRecord } from './log-order.ts';
import { type MemoryBeside, stageBeside } from './memory-log-beside.ts';
import {
  addCommit,
  countCommitsTo,
  countEventsTo,
  createMemoryLogData,
  cutCommits,
  type MemoryLogData,
  orderHashAt,
  revisionOf,
} from './memory-log-data.ts';
import { toOrderedCommit } from './ordered-commit.ts';
import { recordChecked, recordCommit } from './record-commit.ts';
import { addFork, isSameBase, newSyncRecord, withBase } from './sync-record.ts';
import type { OrderedCommit, SyncTransaction } from './synced-log.ts';

/** Who writes, what they wrote last, and how the log is synchronised; replaced as a whole. */
export interface MemoryLogEnd {
  readonly client: string;
  readonly clientSeq: number;
  readonly digest: Uint8Array;
  readonly order: Uint8Array;
  readonly sync: SyncRecord | undefined;
}

export interface MemoryLogState {
  readonly logId: string;
  readonly data: MemoryLogData;
  readonly beside: MemoryBeside;
  readonly newClient: () => string;
  /** Forgets what was saved of a stream of which events were cut. */
  readonly onCut: (stream: string) => void;
}

export interface StagedTransaction extends SyncTransaction {
  /** Puts what was done into the log. @returns its new end, and whether there is anything to be told of. */
  flush(): { readonly end: MemoryLogEnd; readonly isNews: boolean };
}

/** A transaction over what is stored: what it cuts is hidden, and what it appends stands beside it, until `flush`. */
export function stageTransaction(state: MemoryLogState, start: MemoryLogEnd): StagedTransaction {
  const { logId, data } = state;
  const beside = stageBeside(state.beside);
  const added = createMemoryLogData();
  /** Position up to which what is stored is kept, and how many commits that are. */
  let kept = data.events.length;
  let keptCommits = data.commits.length;
  let { client, clientSeq, digest, order } = start;
  let base = (start.sync ?? newSyncRecord).base;

  const headOf = () => kept + added.events.length;
  const storedOf = (stream: string) => data.eventsByStream.get(stream) ?? [];
  const revision = (stream: string) => {
    const last = revisionOf(added, stream);
    // Revisions have no gaps: how many there are says which is the last.
    return last !== -1 ? last : countEventsTo(storedOf(stream), kept) - 1;
  };
  const revisionsOf = ({ events }: Pick<NewCommit, 'events'>) =>
    new Map(events.map(({ stream }) => [stream, revision(stream)]));
  const findCommit = (commandId: string) => {
    const stored = data.eventsByCommand.get(commandId);
    if (stored !== undefined && (stored[0]?.position ?? 0) <= kept) return stored;
    return added.eventsByCommand.get(commandId);
  };

  function* eventsAfter(after: number): Generator<RecordedEvent> {
    for (let at = Math.max(0, after); at < kept; at += 1) yield data.events[at] as RecordedEvent;
    for (let at = Math.max(0, after - kept); at < added.events.length; at += 1) yield added.events[at] as RecordedEvent;
  }

  function* matchesAfter(filters: readonly EventFilter[], after: number): Generator<RecordedEvent> {
    if (filters.length === 0) return;
    for (const event of eventsAfter(after)) if (filters.some((filter) => matchesFilter(event, filter))) yield event;
  }

  function requireCondition({ expectedRevisions = {}, failIfEventsMatch = [], after = 0 }: AppendCondition): void {
    for (const [stream, expected] of Object.entries(expectedRevisions)) {
      const actual = revision(stream);
      if (actual !== expected) throw streamConflict(stream, expected, actual);
    }
    for (const { position } of matchesAfter(failIfEventsMatch, after)) throw appendConflict(after, position);
  }

  function add(head: CommitHead, prev: Uint8Array, own: Uint8Array, events: readonly RecordedEvent[]): StoredCommit {
    const { commandId, correlationId, causationId, recordedAt } = head;
    const commit: StoredCommit = Object.freeze({
      commandId,
      correlationId,
      ...(causationId === undefined ? {} : { causationId }),
      recordedAt,
      client: head.client,
      clientSeq: head.clientSeq,
      prev: bytesToHex(prev),
      orderHash: bytesToHex(order),
      events: Object.freeze(events),
    });
    addCommit(added, commit, bytesToHex(own));
    return commit;
  }

  function append(commit: NewCommit, condition: AppendCondition = {}): readonly RecordedEvent[] {
    requireCondition(condition);
    const { events, payloads } = recordCommit(commit, headOf(), revisionsOf(commit));
    const { commandId, correlationId, causationId, recordedAt, note } = commit;
    if (note !== undefined && start.sync !== undefined) beside.put('note', commandId, note);
    const head = { commandId, correlationId, causationId, recordedAt, client, clientSeq: clientSeq + 1 };
    const prev = digest;
    ({ digest, order } = linkCommit(logId, head, events, payloads, { digest, order }));
    clientSeq += 1;
    add(head, prev, digest, events);
    return events;
  }

  function place({ commit, contents, digest: placed }: CheckedCommit): readonly RecordedEvent[] {
    if (findCommit(commit.commandId) !== undefined) {
      throw new Error(`The commit "${commit.commandId}" is in the log already: it cannot be placed again.`);
    }
    const { events } = recordChecked(commit, contents, headOf(), revisionsOf(commit));
    order = orderHash(order, placed, headOf() + events.length);
    add(commit, hexToBytes(commit.prev), placed, events);
    if (commit.client === client && commit.clientSeq > clientSeq) {
      clientSeq = commit.clientSeq;
      digest = placed;
    }
    return events;
  }

  function cutAfter(g: number): readonly OrderedCommit[] {
    const oh = g <= kept ? orderHashAt(data, g) : orderHashAt(added, g);
    if (oh === undefined || g > headOf()) {
      throw new Error(`The log cannot be cut after position ${g}: no commit ends there. Its head is ${headOf()}.`);
    }
    const taken = readAfter(g);
    for (const { commit, digest: own } of [...taken].reverse()) {
      // One that was placed behind a higher number of its author has moved nothing.
      if (commit.client !== client || commit.clientSeq !== clientSeq || own !== bytesToHex(digest)) continue;
      clientSeq -= 1;
      digest = hexToBytes(commit.prev);
    }
    cutCommits(added, g <= kept ? 0 : countCommitsTo(added, g), () => undefined);
    if (g < kept) {
      kept = g;
      keptCommits = countCommitsTo(data, g);
    }
    order = hexToBytes(oh);
    return taken;
  }

  function readAfter(g: number, limit = Number.MAX_SAFE_INTEGER): readonly OrderedCommit[] {
    const found: OrderedCommit[] = [];
    const take = (from: MemoryLogData, end: number) => {
      for (let at = countCommitsTo(from, g); at < end && found.length < limit; at += 1) {
        found.push(toOrderedCommit(logId, from.commits[at] as StoredCommit, from.digests[at] ?? noHash));
      }
    };
    take(data, keptCommits);
    take(added, added.commits.length);
    return found;
  }

  return {
    get head() {
      return headOf();
    },
    get base() {
      return base;
    },
    get client() {
      return client;
    },
    get clientSeq() {
      return clientSeq;
    },
    get end() {
      return { g: headOf(), oh: bytesToHex(order) };
    },
    beside,
    revisions: async (streams) => streams.map(revision),
    readStream: async (stream, fromRevision) => [
      ...storedOf(stream).slice(Math.max(0, fromRevision), countEventsTo(storedOf(stream), kept)),
      ...(added.eventsByStream.get(stream)?.filter((event) => event.revision >= fromRevision) ?? []),
    ],
    readMatching: async (filters, after) => [...matchesAfter(filters, after)],
    findCommit: async (commandId) => findCommit(commandId),
    append: async (commit, condition) => append(commit, condition),
    turn: () => new Promise((resolve) => setTimeout(resolve)),
    readAfter: async (g, limit) => readAfter(g, limit),
    cutAfter: async (g) => cutAfter(g),
    place: async (checked) => place(checked),
    setBase: (next) => {
      base = next;
    },
    renewClient: () => {
      client = state.newClient();
      clientSeq = 0;
      digest = chainStart.digest;
    },
    flush: () => {
      if (base.g > headOf()) throw new Error(`The base ${base.g} is beyond the head ${headOf()} of the log.`);
      const isRebased = keptCommits < data.commits.length;
      cutCommits(data, keptCommits, state.onCut);
      for (const [at, commit] of added.commits.entries()) addCommit(data, commit, added.digests[at] ?? noHash);
      beside.flush();
      const isMoved = start.sync !== undefined && !isSameBase(base, start.sync.base);
      let { sync } = start;
      if (sync !== undefined && isMoved) sync = withBase(sync, base);
      if (sync !== undefined && isRebased) sync = addFork(sync, kept);
      const isNews = isRebased || isMoved || added.commits.length > 0;
      return { end: { client, clientSeq, digest, order, sync }, isNews };
    },
  };
}
