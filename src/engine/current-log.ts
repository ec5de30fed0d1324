import { FailureError } from '../core/errors.ts';
import type { EventFilter } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import type { Upcaster } from '../core/upcast.ts';
import type { AppendCondition, LogTransaction } from '../log/event-log.ts';
import type { SyncTransaction } from '../log/synced-log.ts';
import type { OpenedLog } from './transfers.ts';

/**
 * The log as this build of the app knows it: events come in their newest form, and are looked for under all names that
 * their types ever had. Nothing that is stored changes; commits, exports and checks show it as it is.
 *
 * Transactions throw `FailureError` where an event cannot be read: nothing is decided on a part of what there is.
 */
export function createCurrentLog(log: OpenedLog, upcaster: Upcaster): OpenedLog {
  return {
    logId: log.logId,
    address: log.address,
    snapshots: log.snapshots,
    openCheckpoints: () => log.openCheckpoints(),
    write: (work, options) => log.write((transaction) => work(currentTransaction(transaction, upcaster)), options),
    read: async function* (query) {
      const { anyOf } = query;
      const stored = {
        ...storedFilter(query, upcaster),
        ...(anyOf === undefined ? {} : { anyOf: storedFilters(anyOf, upcaster) }),
      };
      for await (const page of log.read(stored)) yield upcaster.upcast(page);
    },
    readCommits: (from) => log.readCommits(from),
    verify: (options) => log.verify(options),
    head: () => log.head(),
    revisions: (streams) => log.revisions(streams),
    get order() {
      return log.order;
    },
    onRebase: (listener) => log.onRebase(listener),
    openSync: async () => {
      const synced = await log.openSync();
      return {
        write: (work, options) =>
          synced.write((transaction) => work(currentSyncTransaction(transaction, upcaster)), options),
      };
    },
    onGrowth: (listener) => log.onGrowth((head, events) => listener(head, upcaster.upcast(events))),
    ...(log.stage === undefined ? {} : { stage: log.stage }),
    close: () => log.close(),
  };
}

function currentTransaction(transaction: LogTransaction, upcaster: Upcaster): LogTransaction {
  return {
    get head() {
      return transaction.head;
    },
    revisions: (streams) => transaction.revisions(streams),
    readStream: async (stream, fromRevision) =>
      requireReadable(await transaction.readStream(stream, fromRevision), upcaster),
    readMatching: async (filters, after) =>
      requireReadable(await transaction.readMatching(storedFilters(filters, upcaster), after), upcaster),
    findCommit: (commandId) => transaction.findCommit(commandId),
    append: (commit, condition) =>
      transaction.append(commit, condition === undefined ? undefined : storedCondition(condition, upcaster)),
    turn: () => transaction.turn(),
  };
}

/** What sync reads, it reads as it is stored; what is decided on comes in its newest form. */
function currentSyncTransaction(transaction: SyncTransaction, upcaster: Upcaster): SyncTransaction {
  const { revisions, readStream, readMatching, findCommit, append, turn } = currentTransaction(transaction, upcaster);
  const { readAfter, cutAfter, place, setBase, renewClient, beside } = transaction;
  return {
    ...{ revisions, readStream, readMatching, findCommit, append, turn },
    ...{ readAfter, cutAfter, place, setBase, renewClient, beside },
    get head() {
      return transaction.head;
    },
    get base() {
      return transaction.base;
    },
    get client() {
      return transaction.client;
    },
    get clientSeq() {
      return transaction.clientSeq;
    },
    get end() {
      return transaction.end;
    },
  };
}

function storedCondition(condition: AppendCondition, upcaster: Upcaster): AppendCondition {
  const { failIfEventsMatch } = condition;
  if (failIfEventsMatch === undefined) return condition;
  return { ...condition, failIfEventsMatch: storedFilters(failIfEventsMatch, upcaster) };
}

function requireReadable(events: readonly RecordedEvent[], upcaster: Upcaster): readonly RecordedEvent[] {
  const current = upcaster.upcast(events);
  for (const event of current) {
    const unreadable = upcaster.whyUnreadable(event);
    if (unreadable !== undefined) throw new FailureError(unreadable);
  }
  return current;
}

/** Filters that find events under all names that their types ever had. */
export function storedFilters(filters: readonly EventFilter[], upcaster: Upcaster): readonly EventFilter[] {
  return filters.map((filter) => storedFilter(filter, upcaster));
}

function storedFilter<Filter extends EventFilter>(filter: Filter, upcaster: Upcaster): Filter {
  return filter.types === undefined ? filter : { ...filter, types: upcaster.storedTypes(filter.types) };
}
