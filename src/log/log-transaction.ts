import { type EventFilter, type EventQuery, matchesQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import { type CommitHead, chainStart, commitDigest, commitText, orderHash } from '../protocol/commit-digest.ts';
import { appendConflict, streamConflict } from './append-condition.ts';
import type { AppendCondition, LogTransaction, NewCommit } from './event-log.ts';
import { requestResult } from './idb.ts';
import { keysFrom, type LogRecord } from './log-record.ts';
import { endOf, type LogView, type ViewStores } from './log-view.ts';
import { type LinkedCommit, packCommits } from './pack-commits.ts';
import { type RecordedEvents, recordCommit } from './record-commit.ts';
import { orderMark, type Segment } from './segment.ts';
import { segmentToEvents } from './segment-events.ts';
import { commandTerm, queryTerms, streamTerm } from './segment-index.ts';

/** A transaction of the log and what it has appended so far; nothing is stored before `flush`. */
export interface OpenTransaction extends LogTransaction {
  /** Who writes, and their last commit; the order hash of the log's last commit. */
  readonly end: Pick<LogRecord, 'client' | 'clientSeq' | 'digest' | 'order'>;
  /** What was appended so far. */
  readonly commits: readonly LinkedCommit[];
  /** Appends what `link` makes of these events; it gets the revisions of their streams, and moves them on. */
  add(
    events: readonly Pick<RecordedEvent, 'stream'>[],
    link: (revisions: Map<string, number>) => UnplacedCommit,
  ): Promise<LinkedCommit>;
  /** From here on another client writes, whose numbers begin at 1. */
  setClient(client: string): void;
  /** Stores what was appended. @returns it with the new record. */
  flush(): Flushed;
}

/** A recorded commit that has no place in the order yet. */
export interface UnplacedCommit extends RecordedEvents {
  readonly head: CommitHead;
  readonly prev: Uint8Array;
  readonly digest: Uint8Array;
}

export interface Flushed {
  readonly record: LogRecord;
  readonly segments: readonly Segment[];
  readonly events: readonly RecordedEvent[];
}

/**
 * Runs a change of the log in one transaction, with `view` brought up to it, and stores the record of what it returns;
 * `isNews`: whether others are told. Where it returns nothing flushed, nothing was changed.
 */
export type ChangeLog = <Result>(
  durability: IDBTransactionDurability,
  work: (
    record: LogRecord,
    view: LogView,
    stores: Required<ViewStores>,
    all: IDBTransaction,
  ) => Promise<{ readonly result: Result; readonly flushed?: Flushed | undefined; readonly isNews?: boolean }>,
  /** Stores that `work` needs besides. */
  more?: readonly string[],
) => Promise<Result>;

/** Segments that are read at a time: some megabytes. */
const maxLoaded = 100;

/** `view` has been brought up to `record` in the same IndexedDB transaction. */
export function openTransaction(
  record: LogRecord,
  view: LogView,
  stores: ViewStores,
  maxEventBytes: number,
): OpenTransaction {
  const { logId } = record;
  const commits: LinkedCommit[] = [];
  const appended: RecordedEvent[] = [];
  const appendedByStream = new Map<string, RecordedEvent[]>();
  const appendedByCommand = new Map<string, readonly RecordedEvent[]>();
  const revisionByStream = new Map<string, number>();
  let { head, client, clientSeq, digest, order } = record;

  async function revisions(streams: readonly string[]): Promise<readonly number[]> {
    const unread = streams.filter((stream) => !revisionByStream.has(stream));
    const found = unread.length === 0 ? [] : await view.revisions(unread, stores);
    for (const [index, stream] of unread.entries()) {
      if (!revisionByStream.has(stream)) revisionByStream.set(stream, found[index] ?? -1);
    }
    return streams.map((stream) => revisionByStream.get(stream) ?? -1);
  }

  /** The stored events that match, from a position on; oldest first. */
  async function findStored(
    lists: readonly (readonly number[])[],
    query: EventQuery,
    from: number,
    isFirstEnough: boolean,
  ): Promise<RecordedEvent[]> {
    const places = (await view.find(lists, stores)).filter((each) => endOf(each) >= from);
    const found: RecordedEvent[] = [];
    for (let start = 0; start < places.length && !(isFirstEnough && found.length > 0); start += maxLoaded) {
      const segments = await view.load(places.slice(start, start + maxLoaded), stores);
      for (const segment of segments) found.push(...segmentToEvents(segment, query));
    }
    return found;
  }

  async function readStream(stream: string, fromRevision: number): Promise<readonly RecordedEvent[]> {
    const own = appendedByStream.get(stream) ?? [];
    const [revision = -1] = await revisions([stream]);
    let missing = revision - own.length - fromRevision + 1;
    const pages: RecordedEvent[][] = [];
    // From the end: a segment that is found holds an event at least, unless it was found for a stream of the same hash.
    const found = missing > 0 ? await view.findNewest(streamTerm(stream), stores) : undefined;
    while (found !== undefined && missing > 0) {
      const newest = takeNext(found, Math.min(missing, maxLoaded));
      if (newest.length === 0) break;
      const segments = await view.load(newest.reverse(), stores);
      const page = segments.flatMap((segment) => segmentToEvents(segment, { stream }));
      pages.push(page);
      missing -= page.length;
    }
    return [...pages.reverse().flat(), ...own].filter((event) => event.revision >= fromRevision);
  }

  /** The events after a position that match a filter; at least the first of them, or all. */
  async function readMatching(
    filters: readonly EventFilter[],
    after: number,
    { isFirstEnough }: { readonly isFirstEnough: boolean },
  ): Promise<readonly RecordedEvent[]> {
    if (filters.length === 0) return [];
    const query: EventQuery = { anyOf: filters, from: after + 1 };
    const lists = queryTerms(query);
    const stored =
      lists === undefined
        ? await scanStored(query, after + 1, isFirstEnough)
        : await findStored(lists, query, after + 1, isFirstEnough);
    return [...stored, ...appended.filter((event) => matchesQuery(event, query))];
  }

  async function scanStored(query: EventQuery, from: number, isFirstEnough: boolean): Promise<RecordedEvent[]> {
    const found: RecordedEvent[] = [];
    for (let start = from; start <= record.head; ) {
      const page: Segment[] = await requestResult(
        stores.segments.getAll(keysFrom(record.generation, start, Number.MAX_SAFE_INTEGER), 32),
      );
      for (const segment of page) found.push(...segmentToEvents(segment, query));
      const last = page.at(-1)?.last;
      if (last === undefined || (isFirstEnough && found.length > 0)) break;
      start = last + 1;
    }
    return found;
  }

  async function requireCondition(condition: AppendCondition): Promise<void> {
    const expected = Object.entries(condition.expectedRevisions ?? {});
    const actual = await revisions(expected.map(([stream]) => stream));
    for (const [index, [stream, revision]] of expected.entries()) {
      if (actual[index] !== revision) throw streamConflict(stream, revision, actual[index] ?? -1);
    }
    const { failIfEventsMatch = [], after = 0 } = condition;
    const [match] = await readMatching(failIfEventsMatch, after, { isFirstEnough: true });
    if (match !== undefined) throw appendConflict(after, match.position);
  }

  const add: OpenTransaction['add'] = async (added, link) => {
    await revisions([...new Set(added.map(({ stream }) => stream))]);
    const unplaced = link(revisionByStream);
    const { events } = unplaced;
    head += events.length;
    const before = order;
    order = orderHash(before, unplaced.digest, head);
    const commit: LinkedCommit = { ...unplaced, before, after: order, mark: orderMark(order) };
    commits.push(commit);
    // Of its own: one that comes back with a page of a server may have been written before another that is here.
    if (commit.head.client === client && commit.head.clientSeq > clientSeq) {
      ({ clientSeq } = commit.head);
      ({ digest } = commit);
    }
    appendedByCommand.set(commit.head.commandId, events);
    for (const event of events) {
      appended.push(event);
      const ofStream = appendedByStream.get(event.stream);
      if (ofStream === undefined) appendedByStream.set(event.stream, [event]);
      else ofStream.push(event);
    }
    return commit;
  };

  return {
    get head() {
      return head;
    },
    get end() {
      return { client, clientSeq, digest, order };
    },
    commits,
    revisions,
    readStream,
    readMatching: (filters, after) => readMatching(filters, after, { isFirstEnough: false }),
    findCommit: async (commandId) => {
      const own = appendedByCommand.get(commandId);
      if (own !== undefined) return own;
      // Its segments by the term, its events by the name: a term is a hash.
      const found = await view.load(await view.find([[commandTerm(commandId)]], stores), stores);
      const events = found
        .flatMap((segment) => segmentToEvents(segment))
        .filter(({ meta }) => meta.commandId === commandId);
      return events.length === 0 ? undefined : events;
    },
    add,
    append: async (commit: NewCommit, condition?: AppendCondition) => {
      if (condition !== undefined) await requireCondition(condition);
      const { events } = await add(commit.events, (streamRevisions) => {
        const recorded = recordCommit(commit, head, streamRevisions, maxEventBytes);
        const { events: _events, note: _note, ...lineage } = commit;
        const own = { ...lineage, client, clientSeq: clientSeq + 1 };
        const text = commitText(logId, own, recorded.events, recorded.payloads, digest);
        return { ...recorded, head: own, prev: digest, digest: commitDigest(text) };
      });
      if (commit.note !== undefined && record.sync !== undefined) {
        stores.pending?.put(commit.note, ['note', commit.commandId]);
      }
      return events;
    },
    setClient: (next) => {
      client = next;
      clientSeq = 0;
      ({ digest } = chainStart);
    },
    turn: async () => {
      await requestResult(stores.segments.count([0, 0]));
    },
    flush: () => {
      const segments = packCommits(record.head + 1, commits);
      for (const segment of segments) stores.segments.add(segment, [record.generation, segment.last]);
      return { record: { ...record, head, client, clientSeq, digest, order }, segments, events: appended };
    },
  };
}

function takeNext<Item>(items: Iterator<Item>, count: number): Item[] {
  const taken: Item[] = [];
  while (taken.length < count) {
    const { value, done } = items.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}
