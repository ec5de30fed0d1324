import { describe, expect, it } from 'vitest';
import { type EventFilter, type EventQuery, matchesFilter, matchesQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import { toCanonicalJson } from '../core/json.ts';
import { appendConflict, streamConflict } from '../log/append-condition.ts';
import { type CheckpointStore, createMemoryCheckpointStore, type Instance } from '../log/checkpoint-store.ts';
import type {
  AppendCondition,
  EventLog,
  GrowthListener,
  LogTransaction,
  NewCommit,
  StoredCommit,
} from '../log/event-log.ts';
import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { chainStart, linkCommit } from '../protocol/commit-digest.ts';
import { pause, readAll, readAllCommits } from './conformance/log-access.ts';
import { eventLogConformance } from './event-log-conformance.ts';

/** Breaks one promise of a log that keeps them all; called for each new storage, and then for each opening of it. */
type Break = () => (log: EventLog) => EventLog;

interface BrokenLog {
  readonly breaks: Break;
  /** The case that must notice. */
  readonly caughtBy: string;
}

// The proof that the suite notices what goes wrong in logs of others: longer than other files, one break after the other.
const brokenLogs: Record<string, BrokenLog> = {
  'loses what it held when it is opened again': {
    breaks: () => {
      let openings = 0;
      return (log) => {
        openings += 1;
        return openings === 1 ? log : createMemoryEventLog();
      };
    },
    caughtBy: 'is found as it was when opened again',
  },
  'leaves gaps between positions': {
    breaks: onRead((events) =>
      events.map((event) => ({ ...event, position: event.position + Math.floor(event.position / 10) })),
    ),
    caughtBy: 'keeps positions and revisions without gaps over many commits',
  },
  'starts revisions anew after eight': {
    breaks: onRead((events) => events.map((event) => ({ ...event, revision: event.revision % 8 }))),
    caughtBy: 'keeps positions and revisions without gaps over many commits',
  },
  'loses what is written while another writes': {
    breaks: () => {
      let writing = 0;
      return (log) => ({
        ...log,
        write: async (work, options) => {
          writing += 1;
          const result = await (writing > 1 ? createMemoryEventLog() : log).write(work, options);
          writing -= 1;
          return result;
        },
      });
    },
    caughtBy: 'keeps positions and revisions without gaps with three writers at once',
  },
  'takes the thousandth event of a commit for its last': {
    breaks: inTransaction((transaction) => ({
      findCommit: async (id) => (await transaction.findCommit(id))?.slice(0, 1000),
    })),
    caughtBy: 'keeps a long commit whole and in order',
  },
  'writes letters with accents another way': {
    breaks: onRead((events) => events.map((event) => ({ ...event, data: decompose(event.data) }))),
    caughtBy: 'keeps texts, numbers and nesting as they were',
  },
  'keeps payloads with their keys in the order given until they are read': {
    breaks: onAppend(async (transaction, commit, condition) => {
      const given = commit.events.map(({ data }) => structuredClone(data));
      const recorded = await transaction.append(commit, condition);
      return recorded.map((event, index) => ({ ...event, data: given[index] }));
    }),
    caughtBy: 'gives a payload the same order of keys when it is appended and when it is read',
  },
  'keeps times in 32 bits': {
    breaks: onRead((events) =>
      events.map((event) => ({ ...event, meta: { ...event.meta, recordedAt: event.meta.recordedAt | 0 } })),
    ),
    caughtBy: 'keeps correlation, causation and times, also of clocks that jump',
  },
  'keeps tags as they came': {
    breaks: onRead((events) =>
      events.map((event) => (event.tags === undefined ? event : { ...event, tags: [...event.tags].reverse() })),
    ),
    caughtBy: 'keeps tags sorted, each once, and leaves them out where there are none',
  },
  'keeps one version for each type': {
    breaks: onRead((events) => {
      const versions = new Map<string, number>();
      for (const { type, version } of events) if (!versions.has(type)) versions.set(type, version);
      return events.map((event) => ({ ...event, version: versions.get(event.type) ?? 0 }));
    }),
    caughtBy: 'keeps two versions of one type apart',
  },
  'takes capital letters of command ids for small ones': {
    breaks: inTransaction((transaction) => ({
      findCommit: async (id) => (await transaction.findCommit(id.toLowerCase())) ?? transaction.findCommit(id),
    })),
    caughtBy: 'keeps names apart that look alike',
  },
  'counts the events of a commit in 16 bits': {
    breaks: onRead((events) => events.filter(({ id }) => Number(id.split('.').at(-1)) < 65_536)),
    caughtBy: 'keeps a commit of 70,000 events whole',
  },
  'gives away the objects that it keeps': {
    breaks: () => {
      const kept = new Map<number, RecordedEvent>();
      const keep = (event: RecordedEvent) => {
        if (!kept.has(event.position)) kept.set(event.position, structuredClone(event));
        return kept.get(event.position) ?? event;
      };
      return onRead((events) => events.map(keep))();
    },
    caughtBy: 'is not changed by who changes what was appended or read',
  },
  'leaves out of payloads what JSON leaves out': {
    breaks: onAppend((transaction, commit, condition) =>
      transaction.append(
        withData(commit, (data) => JSON.parse(JSON.stringify(data) ?? 'null')),
        condition,
      ),
    ),
    caughtBy: 'refuses what JSON cannot carry, and stores nothing of its commit',
  },
  'cuts off what is too long': {
    breaks: onAppend((transaction, commit, condition) =>
      transaction.append(
        withData(commit, (data) => (typeof data === 'string' ? data.slice(0, 30_000) : data)),
        condition,
      ),
    ),
    caughtBy: 'refuses an event larger than 64 KiB, and takes one that fits exactly',
  },
  'takes names that start with "$"': {
    breaks: onAppend((transaction, commit, condition) => {
      const events = commit.events.map((event) => ({ ...event, stream: event.stream.replace(/^\$/, '') }));
      return transaction.append({ ...commit, events }, condition);
    }),
    caughtBy: 'keeps names that start with "$" for the system',
  },
  'leaves control characters out of names': {
    breaks: onAppend((transaction, commit, condition) => {
      const events = commit.events.map((event) => ({ ...event, stream: event.stream.replace(/\p{Cc}/gu, '') }));
      return transaction.append({ ...commit, events }, condition);
    }),
    caughtBy: 'refuses names that are empty, too long or hold control characters',
  },
  'takes a commit without events for one that is done': {
    breaks: onAppend(async (transaction, commit, condition) =>
      commit.events.length === 0 ? [] : transaction.append(commit, condition),
    ),
    caughtBy: 'refuses a commit without events',
  },
  'rounds times that are no whole numbers': {
    breaks: onAppend((transaction, commit, condition) =>
      transaction.append({ ...commit, recordedAt: Math.round(commit.recordedAt) }, condition),
    ),
    caughtBy: 'refuses more than 32 tags, and versions and times that are no whole numbers',
  },
  'keeps of a refused commit the events before the bad one': {
    breaks: onAppend(async (transaction, commit, condition) => {
      const bad = commit.events.findIndex(({ data }) => 'problem' in toCanonicalJson(data));
      if (bad > 0) await transaction.append({ ...commit, events: commit.events.slice(0, bad) }, condition);
      return transaction.append(commit, condition);
    }),
    caughtBy: 'lets a write go on after an append that was refused',
  },
  'stores what was appended before the work threw': {
    breaks: () => (log) => ({
      ...log,
      write: async (work, options) => {
        let thrown: { readonly error: unknown } | undefined;
        const result = await log.write(async (transaction) => {
          try {
            return await work(transaction);
          } catch (error) {
            thrown = { error };
            return undefined;
          }
        }, options);
        if (thrown !== undefined) throw thrown.error;
        return result as Awaited<ReturnType<typeof work>>;
      },
    }),
    caughtBy: 'stores nothing of a write whose work throws',
  },
  'shows a write only what was stored before it': {
    breaks: inTransaction((transaction) => {
      const start = transaction.head;
      return {
        readStream: async (stream, from) =>
          (await transaction.readStream(stream, from)).filter(({ position }) => position <= start),
      };
    }),
    caughtBy: 'shows a write its own appends',
  },
  'lets others append between what a write reads and appends': {
    breaks: () => (log) => ({ ...log, write: (work) => writeUnlocked(log, work) }),
    caughtBy: 'runs writes one after the other, whoever asks',
  },
  'reads streams from their start': {
    breaks: inTransaction((transaction) => ({ readStream: (stream) => transaction.readStream(stream, 0) })),
    caughtBy: 'reads a stream from a revision on',
  },
  'reads what matches from the start': {
    breaks: inTransaction((transaction) => ({
      readMatching: (filters) => transaction.readMatching(filters, 0),
    })),
    caughtBy: 'reads in a write what matches any of its filters after a position, with what it appends',
  },
  'reads only what matches the first filter': {
    breaks: inTransaction((transaction) => ({
      readMatching: (filters, after) => transaction.readMatching(filters.slice(0, 1), after),
    })),
    caughtBy: 'reads in a write what matches any of its filters after a position, with what it appends',
  },
  'does not read what a write appends where it matches': {
    breaks: inTransaction((transaction) => {
      const start = transaction.head;
      return {
        readMatching: async (filters, after) =>
          (await transaction.readMatching(filters, after)).filter(({ position }) => position <= start),
      };
    }),
    caughtBy: 'reads in a write what matches any of its filters after a position, with what it appends',
  },
  'forgets command ids after many commits': {
    breaks: inTransaction((transaction) => ({
      findCommit: async (id) => {
        const found = await transaction.findCommit(id);
        return (found?.at(-1)?.position ?? 0) > transaction.head - 200 ? found : undefined;
      },
    })),
    caughtBy: 'finds a commit by its command id over the whole history',
  },
  'finds only the first event of a command': {
    breaks: inTransaction((transaction) => ({
      findCommit: async (id) => (await transaction.findCommit(id))?.slice(0, 1),
    })),
    caughtBy: 'stores a command once, however often and by whomever it is sent',
  },
  'knows no command ids': {
    breaks: inTransaction(() => ({ findCommit: async () => undefined })),
    caughtBy: 'stores a command once, however often and by whomever it is sent',
  },
  'gives revisions in the order of names': {
    breaks: () => (log) => ({ ...log, revisions: (streams) => log.revisions([...streams].sort()) }),
    caughtBy: 'knows the revisions of streams, in the order asked',
  },
  'resolves a write before the others can read it': {
    breaks: () => {
      let hidden: { readonly by: EventLog; readonly after: number } | undefined;
      return (log) => ({
        ...log,
        write: async (work, options) => {
          const after = await log.head();
          const result = await log.write(work, options);
          hidden = { by: log, after };
          setTimeout(() => {
            hidden = undefined;
          }, 5);
          return result;
        },
        head: async () => (hidden !== undefined && hidden.by !== log ? hidden.after : log.head()),
      });
    },
    caughtBy: 'shows everybody what a write has appended once it resolves',
  },
  'shows half of a commit for a moment': {
    breaks: () => {
      let visible = Number.POSITIVE_INFINITY;
      return (log) => ({
        ...onRead((events) => events.filter(({ position }) => position <= visible))()(log),
        write: async (work, options) => {
          const before = await log.head();
          const result = await log.write(work, options);
          visible = Math.floor((before + (await log.head())) / 2);
          await pause(5);
          visible = Number.POSITIVE_INFINITY;
          return result;
        },
      });
    },
    caughtBy: 'never shows a reader a part of a commit',
  },
  'shows what is not committed yet': {
    breaks: () => {
      let open: RecordedEvent[] = [];
      const appending = onAppend(async (transaction, commit, condition) => {
        const recorded = await transaction.append(commit, condition);
        open.push(...recorded);
        return recorded;
      })();
      return (log) => {
        const { write } = appending(log);
        return {
          ...onRead((events, query) => [...events, ...open.filter((event) => matchesQuery(event, query))])()(log),
          write: (work, options) =>
            write(work, options).finally(() => {
              open = [];
            }),
        };
      };
    },
    caughtBy: 'never shows a reader what a write has not committed',
  },
  'checks no expected revisions': {
    breaks: onCondition(({ expectedRevisions: _ignored, ...rest }) => rest),
    caughtBy: 'refuses an append where a stream has another revision than expected',
  },
  'takes a stream without events for one at revision 0': {
    breaks: onCondition(({ expectedRevisions = {}, ...rest }) => {
      const raised = Object.entries(expectedRevisions).map(([stream, revision]) => [stream, Math.max(0, revision)]);
      return { ...rest, expectedRevisions: Object.fromEntries(raised) };
    }),
    caughtBy: 'appends where streams have the expected revisions',
  },
  'checks expected revisions only of streams that the commit touches': {
    breaks: onCondition(({ expectedRevisions = {}, ...rest }, commit) => {
      const touched = new Set(commit.events.map(({ stream }) => stream));
      const checked = Object.entries(expectedRevisions).filter(([stream]) => touched.has(stream));
      return { ...rest, expectedRevisions: Object.fromEntries(checked) };
    }),
    caughtBy: 'checks the expected revision of a stream that the commit does not touch',
  },
  'checks expected revisions before it has the log to itself': {
    breaks: checkedOutside((condition, events) => {
      for (const [stream, expected] of Object.entries(condition.expectedRevisions ?? {})) {
        const actual = events.filter((event) => event.stream === stream).length - 1;
        if (actual !== expected) throw streamConflict(stream, expected, actual);
      }
    }),
    caughtBy: 'lets one of two writers win that expect the same revision',
  },
  'checks a condition before it has the log to itself': {
    breaks: checkedOutside(({ failIfEventsMatch = [], after = 0 }, events) => {
      const match = events
        .slice(after)
        .find((event) => failIfEventsMatch.some((filter) => matchesFilter(event, filter)));
      if (match !== undefined) throw appendConflict(after, match.position);
    }),
    caughtBy: 'lets one of two writers win that have seen the same',
  },
  'looks one position too far on': {
    breaks: onCondition((condition) => ({ ...condition, after: (condition.after ?? -1) + 1 })),
    caughtBy: 'takes the position after which a condition looks as seen',
  },
  'looks one position too far back': {
    breaks: onCondition((condition) => ({ ...condition, after: Math.max(0, (condition.after ?? 0) - 1) })),
    caughtBy: 'takes the position after which a condition looks as seen',
  },
  'fails a condition where one of the tags is there': {
    breaks: onFilters((filters) =>
      filters.flatMap(({ tags = [], ...rest }) =>
        tags.length === 0 ? [rest] : tags.map((tag): EventFilter => ({ ...rest, tags: [tag] })),
      ),
    ),
    caughtBy: 'appends where no event after a position matches a filter',
  },
  'fails a condition only where all types are there': {
    breaks: onFilters((filters) => filters.map((filter) => ({ ...filter, ...allTypes(filter) }))),
    caughtBy: 'refuses an append where an event after a position matches a filter',
  },
  'fails a condition only where all filters match': {
    breaks: onFilters((filters) => (filters.length < 2 ? filters : [Object.assign({}, ...filters)])),
    caughtBy: 'refuses an append where an event after a position matches a filter',
  },
  'overlooks filters without tags': {
    breaks: onFilters((filters) => filters.filter(({ tags }) => tags !== undefined)),
    caughtBy: 'refuses an append where an event after a position matches a filter',
  },
  'looks at the newest thousand events for a condition': {
    breaks: inTransaction((transaction) => ({
      append: (commit, condition = {}) =>
        transaction.append(commit, { ...condition, after: Math.max(condition.after ?? 0, transaction.head - 1000) }),
    })),
    caughtBy: 'checks a condition against everything after its position, however long ago',
  },
  'overlooks the own appends of a write for a condition': {
    breaks: inTransaction((transaction) => {
      const start = transaction.head;
      return {
        append: (commit, { failIfEventsMatch = [], ...rest } = {}) =>
          transaction.append(commit, (rest.after ?? 0) < start ? { ...rest, failIfEventsMatch } : rest),
      };
    }),
    caughtBy: 'counts the earlier appends of the same write for a condition',
  },
  'finds streams by the start of their name': {
    breaks: onRead(async (_events, { stream, ...query }, log) => {
      const all = await readAll(log, { ...query, limit: Number.MAX_SAFE_INTEGER });
      return all.filter((event) => event.stream.startsWith(stream ?? '')).slice(0, query.limit);
    }),
    caughtBy: 'reads by stream',
  },
  'reads only what has all types': {
    breaks: onQuery((query) => ({ ...query, ...allTypes(query) })),
    caughtBy: 'reads by type',
  },
  'reads what has one of the tags': {
    breaks: onQuery(({ tags, ...query }) =>
      tags === undefined || tags.length < 2
        ? { ...query, ...(tags && { tags }) }
        : { ...query, anyOf: tags.map((tag) => ({ tags: [tag] })) },
    ),
    caughtBy: 'reads by tags',
  },
  'reads what matches all of several filters': {
    breaks: onQuery(({ anyOf, ...query }) =>
      anyOf === undefined ? query : { ...Object.assign({}, ...anyOf), ...query },
    ),
    caughtBy: 'reads by any of several filters',
  },
  'leaves out the last position of a range': {
    breaks: onQuery((query) => (query.to === undefined ? query : { ...query, to: query.to - 1 })),
    caughtBy: 'reads by position',
  },
  'takes times for an order': {
    breaks: onRead(async (_events, { since, until, backwards, limit, ...query }, log) => {
      const all = await readAll(log);
      const found = (time: number | undefined, none: number) => {
        const place = time === undefined ? -1 : all.findIndex(({ meta }) => meta.recordedAt >= time);
        return place === -1 ? none : place;
      };
      const start = since === undefined ? 0 : found(since, all.length);
      const wanted = all.slice(start, found(until, all.length)).filter((event) => matchesQuery(event, query));
      return (backwards ? wanted.reverse() : wanted).slice(0, limit);
    }),
    caughtBy: 'reads by time, also where clocks jumped back',
  },
  'takes the end of a time for a part of it': {
    breaks: onQuery((query) => (query.until === undefined ? query : { ...query, until: query.until + 1 })),
    caughtBy: 'reads by time, also where clocks jumped back',
  },
  'turns each page round, and not their order': {
    breaks: () => (log) => ({
      ...log,
      read: async function* ({ backwards, limit, ...query }) {
        if (!backwards || limit !== undefined) return yield* log.read({ ...query, ...optional({ backwards, limit }) });
        for await (const page of log.read(query)) yield [...page].reverse();
      },
    }),
    caughtBy: 'reads newest first',
  },
  'gives the oldest, turned round, where the newest few were asked for': {
    breaks: onRead(async (events, { backwards, ...query }, log) =>
      backwards ? (await readAll(log, query)).reverse() : events,
    ),
    caughtBy: 'reads no more than the limit',
  },
  'counts the limit before it chooses': {
    breaks: onRead(async (events, query, log) => {
      const { limit, backwards = false, from = 1 } = query;
      if (limit === undefined || backwards) return events;
      return (await readAll(log, { from, limit })).filter((event) => matchesQuery(event, query));
    }),
    caughtBy: 'reads no more than the limit',
  },
  'ignores the limit': {
    breaks: onQuery(({ limit: _ignored, ...query }) => query),
    caughtBy: 'reads no more than the limit',
  },
  'forgets the position where it is asked for a stream and a tag': {
    breaks: onQuery(({ from, ...query }) =>
      from === undefined || (query.stream !== undefined && query.tags !== undefined) ? query : { ...query, from },
    ),
    caughtBy: 'reads by any combination of conditions',
  },
  'reads one page and stops': {
    breaks: () => (log) => ({
      ...log,
      read: async function* (query) {
        for await (const page of log.read(query)) return yield page;
      },
    }),
    caughtBy: 'reads a long log in pages of which none is empty',
  },
  'takes much smaller events for the end': {
    breaks: onRead((events, { backwards = false }) => {
      const size = (event: RecordedEvent | undefined) => JSON.stringify(event?.data ?? '').length;
      const end = events.findIndex((event, index) => 100 * size(event) < size(events[index - 1]));
      return end === -1 || backwards ? events : events.slice(0, end);
    }),
    caughtBy: 'reads a long commit of small events behind large ones',
  },
  'gives the whole log at once': {
    breaks: onRead((events) => events, Number.POSITIVE_INFINITY),
    caughtBy: 'reads a long log in pages of which none is empty',
  },
  'gives empty pages where nothing matches': {
    breaks: () => (log) => ({
      ...log,
      read: async function* (query) {
        yield [];
        yield* log.read(query);
      },
    }),
    caughtBy: 'reads a long log in pages of which none is empty',
  },
  'pages from its end, wherever that is by then': {
    breaks: () => (log) => ({
      ...log,
      read: async function* (query) {
        if (!query.backwards || query.limit !== undefined) return yield* log.read(query);
        for (let seen = 0; ; seen += 200) {
          const page = (await readAll(log, query)).slice(seen, seen + 200);
          if (page.length === 0) return;
          yield page;
          await pause();
        }
      },
    }),
    caughtBy: 'reads without gaps while the log grows',
  },
  'gives one page of commits and stops': {
    breaks: onCommits((commits) => commits.slice(0, 250)),
    caughtBy: 'gives the commits of a long log in pages of which none is empty',
  },
  'gives commits without their cause': {
    breaks: onCommits((commits) => commits.map(({ causationId: _lost, ...commit }) => commit)),
    caughtBy: 'gives back whole commits, with what stands around their events',
  },
  'starts with the commit after the position': {
    breaks: onCommits((commits, from) => commits.filter(({ events }) => (events[0]?.position ?? 0) >= from)),
    caughtBy: 'gives commits from the one that holds a position',
  },
  'gives a part of the commit that holds the position': {
    breaks: onCommits((commits, from) =>
      commits.map((commit) => ({ ...commit, events: commit.events.filter(({ position }) => position >= from) })),
    ),
    caughtBy: 'gives commits from the one that holds a position',
  },
  'links no commit to the one before': {
    breaks: onCommits((commits, _from, log) =>
      commits.map((commit) => ({ ...commit, orderHash: hashOf(log.logId, commit, commit.events) })),
    ),
    caughtBy: 'links every commit to the one before, over all that it holds',
  },
  'links commits without their payloads': {
    breaks: onCommits((commits, _from, log) => {
      let end = chainStart;
      return commits.map((commit) => {
        end = linkCommit(
          log.logId,
          commit,
          commit.events,
          commit.events.map(() => 'null'),
          end,
        );
        return { ...commit, orderHash: Buffer.from(end.order).toString('hex') };
      });
    }),
    caughtBy: 'links every commit to the one before, over all that it holds',
  },
  'numbers commits from 0': {
    breaks: onCommits((commits) => commits.map((commit) => ({ ...commit, clientSeq: commit.clientSeq - 1 }))),
    caughtBy: 'numbers the commits of each client from 1 without gaps',
  },
  'uses up a number for each append that was refused': {
    breaks: () => {
      let refused = 0;
      const counting = onAppend((transaction, commit, condition) =>
        transaction.append(commit, condition).catch((error: unknown) => {
          refused += 1;
          throw error;
        }),
      )();
      const numbering = onCommits((commits) =>
        commits.map((commit, index) => (index === 0 ? commit : { ...commit, clientSeq: commit.clientSeq + refused })),
      )();
      return (log) => numbering(counting(log));
    },
    caughtBy: 'leaves no trace in the links of what was refused or undone',
  },
  'tells nobody that it has grown': {
    breaks: () => (log) => ({ ...log, onGrowth: () => () => undefined }),
    caughtBy: 'tells listeners that the log has grown',
  },
  'tells only its own listeners that it has grown': {
    breaks: () => (log) => {
      const listeners = new Set<GrowthListener>();
      return {
        ...log,
        write: async (work, options) => {
          const result = await log.write(work, options);
          for (const listener of listeners) listener(0, []);
          return result;
        },
        onGrowth: (listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      };
    },
    caughtBy: 'tells listeners of appends through another opening of the same storage',
  },
  'goes on telling listeners that were unsubscribed': {
    breaks: () => (log) => ({
      ...log,
      onGrowth: (listener) => {
        log.onGrowth(listener);
        return () => undefined;
      },
    }),
    caughtBy: 'tells listeners that the log has grown',
  },
  'tells only the listener that came last': {
    breaks: () => (log) => {
      let stop: () => void = () => undefined;
      return {
        ...log,
        onGrowth: (listener) => {
          stop();
          stop = log.onGrowth(listener);
          return stop;
        },
      };
    },
    caughtBy: 'tells every listener, until it is unsubscribed',
  },
  'has a head that runs ahead of what can be read': {
    breaks: () => (log) => ({ ...log, head: async () => (await log.head()) + 1 }),
    caughtBy: 'is followed from a position on without a gap, while it grows',
  },
  'tells of other events than it stored': {
    breaks: () => (log) => ({
      ...log,
      onGrowth: (listener) =>
        log.onGrowth((head) => {
          void (async () => {
            for await (const [event] of log.read({ from: head })) {
              if (event !== undefined) listener(head, [{ ...event, position: event.position + 1 }]);
            }
          })();
        }),
    }),
    caughtBy: 'tells of events only as they are stored',
  },
  'goes on after it was closed': {
    breaks: () => (log) => ({ ...log, close: () => undefined }),
    caughtBy: 'refuses to read and to write once it is closed',
  },
  'goes on telling of growth after it was closed': {
    breaks: () => {
      const listeners = new Set<GrowthListener>();
      return (log) => ({
        ...log,
        write: async (work, options) => {
          const result = await log.write(work, options);
          for (const listener of listeners) listener(0, []);
          return result;
        },
        onGrowth: (listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      });
    },
    caughtBy: 'tells nobody of growth once it is closed',
  },
  'rejects what it has stored where it was closed meanwhile': {
    breaks: () => (log) => {
      let isClosed = false;
      return {
        ...log,
        write: async (work, options) => {
          const result = await log.write(work, options);
          if (isClosed) throw new Error('It was closed.');
          return result;
        },
        close: () => {
          isClosed = true;
          log.close();
        },
      };
    },
    caughtBy: 'finishes a write that is under way when it is closed',
  },
  'closes for everybody': {
    breaks: () => {
      const openings: EventLog[] = [];
      return (log) => {
        openings.push(log);
        return { ...log, close: () => openings.forEach((each) => void each.close()) };
      };
    },
    caughtBy: 'can be closed twice, and leaves other openings open',
  },
  'keeps checkpoints for each opening': {
    breaks: () => (log) => {
      const store = createMemoryCheckpointStore();
      return { ...log, openCheckpoints: async () => store };
    },
    caughtBy: 'keeps how far each consumer has come, also when opened again',
  },
  'keeps checkpoints with the snapshots': {
    breaks: () => {
      let store = createMemoryCheckpointStore();
      return (log) => {
        const clear = () => {
          store = createMemoryCheckpointStore();
          return log.snapshots.clear();
        };
        const openCheckpoints = async () => checkpointsOf(() => store);
        return { ...log, snapshots: { ...log.snapshots, clear }, openCheckpoints };
      };
    },
    caughtBy: 'keeps checkpoints where snapshots are cleared and events appended',
  },
  'lets the last of two saves win': {
    breaks: onCheckpoints((store) => ({
      save: async (consumer, change) =>
        store.save(consumer, { ...change, turn: ((await store.load(consumer))?.turn ?? 0) + 1 }),
    })),
    caughtBy: 'refuses a save that another was faster than, with all that belongs to it',
  },
  'gives away the instances that it keeps': {
    breaks: () => {
      const kept = new Map<string, Instance | undefined>();
      return onCheckpoints((store) => ({
        loadInstances: async (consumer, keys) => {
          const { turn, instances } = await store.loadInstances(consumer, keys);
          const given = keys.map((key, index) => {
            const place = `${consumer} ${key}`;
            if (!kept.has(place)) kept.set(place, instances[index]);
            return kept.get(place);
          });
          return { turn, instances: given };
        },
      }))();
    },
    caughtBy: 'gives back instances as they were saved, in the order asked',
  },
  'looks the turn up before it loads the instances': {
    breaks: onCheckpoints((store) => ({
      loadInstances: async (consumer, keys) => {
        const turn = (await store.load(consumer))?.turn ?? 0;
        await pause();
        return { turn, instances: (await store.loadInstances(consumer, keys)).instances };
      },
      save: async (consumer, change) => {
        await Promise.resolve();
        await Promise.resolve();
        return store.save(consumer, change);
      },
    })),
    caughtBy: 'gives instances with the turn that they are of',
  },
  'keeps instances that ended': {
    breaks: onCheckpoints((store) => ({
      save: (consumer, change) =>
        store.save(consumer, {
          ...change,
          instances: (change.instances ?? []).map((instance) => ({ state: 'ended', ...instance })),
        }),
    })),
    caughtBy: 'forgets an instance that ended',
  },
  'names the first deadline in the order of keys': {
    breaks: onCheckpoints((store) => ({
      nextDeadline: async (consumer) => {
        const keys = ['a', 'b', 'c', 'd', 'z'];
        for (const found of (await store.loadInstances(consumer, keys)).instances) {
          for (const [name, { at }] of Object.entries(found?.deadlines ?? {}))
            return { key: found?.key ?? '', name, at };
        }
        return undefined;
      },
    })),
    caughtBy: 'names the deadline that is due first, of all instances of a consumer',
  },
  'keeps deadlines that were moved': {
    breaks: onCheckpoints((store) => ({
      save: async (consumer, change) => {
        const changed = change.instances ?? [];
        const { instances: before } = await store.loadInstances(
          consumer,
          changed.map(({ key }) => key),
        );
        const instances = changed.map((each, index) => ({
          ...each,
          ...(each.state === undefined ? {} : { deadlines: { ...each.deadlines, ...before[index]?.deadlines } }),
        }));
        return store.save(consumer, { ...change, instances });
      },
    })),
    caughtBy: 'forgets a deadline that was moved or cancelled',
  },
  'keeps its checkpoints open': {
    breaks: () => {
      const store = createMemoryCheckpointStore();
      return (log) => ({ ...log, openCheckpoints: async () => store });
    },
    caughtBy: 'gives no checkpoints and takes none once it is closed',
  },
};

/** What every broken log still does: each breaks one promise, and looks sound at first. */
const simplest = 'gives back what was appended, with everything around it';

describe('the conformance suite', () => {
  const runOf = (breaks: Break, name: string) => {
    const factory = async () => {
      const log = createMemoryEventLog();
      const broken = breaks();
      return { log: broken(log), open: async () => broken(log.open()) };
    };
    const found = eventLogConformance(factory).find((each) => each.name === name);
    if (found === undefined) throw new Error(`The suite has no case "${name}".`);
    return found.run();
  };

  // At the same time: some wait two seconds for what never comes.
  it.concurrent.each(Object.entries(brokenLogs))('notices a log that %s', async (_what, { breaks, caughtBy }) => {
    await runOf(breaks, simplest);
    await expect(runOf(breaks, caughtBy)).rejects.toThrow(/expected/);
  });

  it('finds nothing wrong with a log that is only wrapped', async () => {
    const wrap: Break = () => (log) =>
      [onRead((events) => events), onCommits((commits) => commits), inTransaction(() => ({}))].reduce(
        (wrapped, breaks) => breaks()(wrapped),
        log,
      );
    for (const name of new Set(Object.values(brokenLogs).map(({ caughtBy }) => caughtBy))) await runOf(wrap, name);
  }, 30_000);

  it('has no case that was never seen to fail, but for those that show how a log is used', () => {
    const names = eventLogConformance(() => Promise.reject(new Error('not opened'))).map(({ name }) => name);
    const seen = new Set(Object.values(brokenLogs).map(({ caughtBy }) => caughtBy));
    expect(names.filter((name) => !seen.has(name))).toEqual([
      'starts empty',
      simplest,
      'gives back hundreds of commits of mixed sizes as they were',
      'returns what the work returns',
      'keeps a write open over a turn of the event loop',
      'can be left in the middle of a reading',
      'gives no commits of an empty log',
    ]);
    expect(names.length).toBe(new Set(names).size);
  });
});

/** Changes what a query finds; `log` is the sound one. */
function onRead(
  change: (
    events: RecordedEvent[],
    query: EventQuery,
    log: EventLog,
  ) => readonly RecordedEvent[] | Promise<readonly RecordedEvent[]>,
  pageSize = 1000,
): Break {
  return () => (log) => ({
    ...log,
    read: async function* (query) {
      const events = await change(await readAll(log, query), query, log);
      for (let start = 0; start < events.length; start += pageSize) yield events.slice(start, start + pageSize);
    },
  });
}

function onCheckpoints(change: (store: CheckpointStore) => Partial<CheckpointStore>): Break {
  return () => (log) => ({
    ...log,
    openCheckpoints: async () => {
      const store = await log.openCheckpoints();
      return { ...store, ...change(store) };
    },
  });
}

/** A store that may be another one at each call. */
function checkpointsOf(current: () => CheckpointStore): CheckpointStore {
  return {
    load: (consumer) => current().load(consumer),
    save: (consumer, change) => current().save(consumer, change),
    loadInstances: (consumer, keys) => current().loadInstances(consumer, keys),
    nextDeadline: (consumer) => current().nextDeadline(consumer),
  };
}

function onQuery(change: (query: EventQuery) => EventQuery): Break {
  return () => (log) => ({ ...log, read: (query) => log.read(change(query)) });
}

function onCommits(
  change: (commits: readonly StoredCommit[], from: number, log: EventLog) => readonly StoredCommit[],
): Break {
  return () => (log) => ({
    ...log,
    readCommits: async function* (from = 1) {
      const commits = change(await readAllCommits(log, from), from, log);
      if (commits.length > 0) yield commits;
    },
  });
}

function inTransaction(change: (transaction: LogTransaction) => Partial<LogTransaction>): Break {
  return () => (log) => ({
    ...log,
    write: (work, options) => log.write((transaction) => work(changed(transaction, change(transaction))), options),
  });
}

function onAppend(
  append: (
    transaction: LogTransaction,
    commit: NewCommit,
    condition: AppendCondition | undefined,
  ) => Promise<readonly RecordedEvent[]>,
): Break {
  return inTransaction((transaction) => ({ append: (commit, condition) => append(transaction, commit, condition) }));
}

function onCondition(change: (condition: AppendCondition, commit: NewCommit) => AppendCondition): Break {
  return onAppend((transaction, commit, condition = {}) => transaction.append(commit, change(condition, commit)));
}

function onFilters(change: (filters: readonly EventFilter[]) => readonly EventFilter[]): Break {
  return onCondition(({ failIfEventsMatch = [], ...rest }) => ({
    ...rest,
    failIfEventsMatch: change(failIfEventsMatch),
  }));
}

/** Checks conditions against what was stored when the write was asked for, before its turn came. */
function checkedOutside(check: (condition: AppendCondition, events: readonly RecordedEvent[]) => void): Break {
  return () => (log) => ({
    ...log,
    write: async (work, options) => {
      const seen = await readAll(log);
      const append =
        (transaction: LogTransaction) =>
        async (commit: NewCommit, condition: AppendCondition = {}) => {
          check(condition, seen);
          return transaction.append(commit);
        };
      return log.write((transaction) => work(changed(transaction, { append: append(transaction) })), options);
    },
  });
}

/** Does the work on a copy of the log, and appends afterwards what it appended there. */
async function writeUnlocked<Result>(
  log: EventLog,
  work: (transaction: LogTransaction) => Promise<Result>,
): Promise<Result> {
  const copy = createMemoryEventLog();
  const stored = await readAllCommits(log);
  await copy.write(async (transaction) => {
    for (const commit of stored) await transaction.append(commit);
  });
  const appended: NewCommit[] = [];
  const result = await copy.write((transaction) => {
    const append = (commit: NewCommit, condition?: AppendCondition) => {
      appended.push(commit);
      return transaction.append(commit, condition);
    };
    return work(changed(transaction, { append }));
  });
  await log.write(async (transaction) => {
    for (const commit of appended) await transaction.append(commit);
  });
  return result;
}

/** A spread would fix the head at what it is now. */
function changed(transaction: LogTransaction, change: Partial<LogTransaction>): LogTransaction {
  return Object.defineProperty({ ...transaction, ...change }, 'head', { get: () => transaction.head });
}

function withData(commit: NewCommit, change: (data: unknown) => unknown): NewCommit {
  return { ...commit, events: commit.events.map((event) => ({ ...event, data: change(event.data) })) };
}

function decompose(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data).normalize('NFD'));
}

/** No event has two types. */
function allTypes({ types }: EventFilter): { readonly types?: readonly string[] } {
  return types === undefined || types.length < 2 ? {} : { types: [] };
}

function optional({ backwards, limit }: { backwards: boolean | undefined; limit: number | undefined }): EventQuery {
  return { ...(backwards === undefined ? {} : { backwards }), ...(limit === undefined ? {} : { limit }) };
}

function hashOf(logId: string, commit: StoredCommit, events: readonly RecordedEvent[]): string {
  const payloads = events.map(({ data }) => JSON.stringify(data));
  return Buffer.from(linkCommit(logId, commit, events, payloads, chainStart).order).toString('hex');
}
