import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../core/events.ts';
import { chainStart, linkCommit } from '../protocol/commit-digest.ts';
import { openDexieEventLog } from './dexie-event-log.ts';
import type { EventLog, NewCommit, StoredCommit } from './event-log.ts';
import { type FaultKind, faultKinds, patchStorage } from './storage-faults.contract.ts';

const env = { now: () => 0, newId: () => crypto.randomUUID() };
const kinds = Object.keys(faultKinds) as FaultKind[];
const logId = 'the-log-of-format-1';

/** A database of format 1 becomes one of format 2 when it is opened; in Node and in a real browser. */
export function describeConvertFormat1(): void {
  describe('a log of format 1', () => {
    it('has the same events after it was opened', async () => {
      const name = await writeFormat1();
      const log = await openDexieEventLog({ name, env });
      expect(log.logId).toBe(logId);
      expect(await log.head()).toBe(605);
      expect(await readAll(log)).toEqual(expectedEvents());
      expect(await log.revisions(['a-1', 'b-1', 'c-1'])).toEqual([302, 300, -1]);
      log.close();
    });

    it('has its commits, linked from the start of the chains', async () => {
      const log = await openDexieEventLog({ name: await writeFormat1(), env });
      const stored = await readCommits(log);
      expect(stored.map(({ commandId, clientSeq, events }) => [commandId, clientSeq, events.length])).toEqual([
        ['first', 1, 2],
        ['long', 2, 600],
        ['caused', 3, 1],
        ['last', 4, 2],
      ]);
      expect(stored.flatMap(({ events }) => events)).toEqual(expectedEvents());
      expect(stored.map(({ orderHash }) => orderHash)).toEqual(orderHashes(stored));
      log.close();
    });

    it('goes on where it ended', async () => {
      const name = await writeFormat1();
      const log = await openDexieEventLog({ name, env });
      const [event] = await log.write(async (transaction) => {
        expect((await transaction.findCommit('long'))?.length).toBe(600);
        expect((await transaction.readStream('b-1', 299)).length).toBe(2);
        return transaction.append({ ...commits[0], commandId: 'new' });
      });
      expect(event).toMatchObject({ position: 606, revision: 303 });
      const stored = await readCommits(log);
      expect(stored.map(({ orderHash }) => orderHash)).toEqual(orderHashes(stored));
      log.close();
    });

    it('may be empty', async () => {
      const name = await writeFormat1([]);
      const log = await openDexieEventLog({ name, env });
      expect(log.logId).toBe(logId);
      await log.write((transaction) => transaction.append(commits[0]));
      expect(await log.head()).toBe(2);
      log.close();
    });

    it('is converted once where several open it at the same time', async () => {
      const name = await writeFormat1();
      const logs = await Promise.all([1, 2, 3].map(() => openDexieEventLog({ name, env })));
      for (const log of logs) expect(await readAll(log)).toEqual(expectedEvents());
      for (const log of logs) log.close();
      const segments = (await readStores(name)).segments as { first: number; last: number }[];
      expect(segments.reduce((events, { first, last }) => events + last - first + 1, 0)).toBe(605);
    });

    it('is closed to the code that wrote it', async () => {
      const name = await writeFormat1();
      (await openDexieEventLog({ name, env })).close();
      const { meta, commits: left, streams } = await readStores(name);
      // What that code looks at before it reads or writes anything: it knows format 1.
      expect(meta).toMatchObject([{ write: 2, minReader: 2, logId, head: 605 }]);
      expect({ left, streams }).toEqual({ left: [], streams: [] });
    });

    it('is left as it is where some of it is missing', async () => {
      const name = await writeFormat1(commits, (record) => record.first !== 3);
      const before = await readStores(name);
      await expect(openDexieEventLog({ name, env })).rejects.toMatchObject({ failure: { type: 'storage.damaged' } });
      expect(await readStores(name)).toEqual(before);
    });

    it('is old or new, never torn, when any storage operation of its conversion fails', async () => {
      const storage = patchStorage();
      const outcomes = { old: 0, new: 0 };
      try {
        for (const kind of kinds) {
          for (let n = 1; ; n += 1) {
            const name = await writeFormat1();
            const before = await readStores(name);
            const fault = storage.inject(name, { kind, n, times: Number.MAX_SAFE_INTEGER });
            const log = await openDexieEventLog({ name, env, hangMs: 20 }).catch(() => undefined);
            log?.close();
            fault.remove();
            const after = await readStores(name);
            const isOld = after.commits.length > 0;
            outcomes[isOld ? 'old' : 'new'] += 1;
            if (isOld) expect(after, `${kind}:${n}`).toEqual(before);
            else expect(after.meta, `${kind}:${n}`).toMatchObject([{ write: 2, minReader: 2 }]);
            await checkConverted(name);
            if (fault.hits === 0) break;
          }
        }
      } finally {
        storage.restore();
      }
      // Every kind hits some operations of the conversion, and leaves one run alone.
      expect(outcomes.old).toBeGreaterThan(80);
      expect(outcomes.new).toBeGreaterThanOrEqual(kinds.length);
    }, 30_000);
  });
}

async function checkConverted(name: string): Promise<void> {
  const log = await openDexieEventLog({ name, env });
  expect(await readAll(log)).toEqual(expectedEvents());
  const stored = await readCommits(log);
  expect(stored.map(({ orderHash }) => orderHash)).toEqual(orderHashes(stored));
  log.close();
}

const commits = [
  commitOf('first', ['a-1', 'a-1']),
  commitOf(
    'long',
    Array.from({ length: 600 }, (_, index) => (index % 2 === 0 ? 'a-1' : 'b-1')),
  ),
  { ...commitOf('caused', ['b-1']), correlationId: 'first', causationId: 'first.1' },
  { ...commitOf('last', ['a-1', 'c/ž ']), recordedAt: 1_600_000_000_000 },
] as const;

function commitOf(commandId: string, streams: readonly string[]): NewCommit {
  const events = streams.map((stream, index) => ({
    stream,
    type: index % 3 === 0 ? 'Opened' : 'Noted',
    version: index % 5 === 0 ? 2 : 1,
    // Keys out of order: format 1 kept them as they came.
    data: { text: `"${index}"\n`, b: [index / 4, null, true], a: { z: 1, y: 'ž' } },
  }));
  return { commandId, correlationId: commandId, recordedAt: 1_700_000_000_000, events };
}

function expectedEvents(): RecordedEvent[] {
  const revisions = new Map<string, number>();
  const all: RecordedEvent[] = [];
  for (const { events, ...meta } of commits) {
    for (const [index, event] of events.entries()) {
      const revision = (revisions.get(event.stream) ?? -1) + 1;
      revisions.set(event.stream, revision);
      all.push({ ...event, id: `${meta.commandId}.${index}`, revision, position: all.length + 1, meta });
    }
  }
  return all;
}

interface Format1Record {
  readonly first: number;
  readonly last: number;
}

/** Written as the code of format 1 did: at most 256 events in a record. @returns the database's name. */
async function writeFormat1(
  written: readonly NewCommit[] = commits,
  keep: (record: Format1Record) => boolean = () => true,
): Promise<string> {
  const name = `test-${crypto.randomUUID()}`;
  const all = written.length === 0 ? [] : expectedEvents();
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    // Dexie multiplies its versions by ten.
    const request = indexedDB.open(name, 10);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('meta');
      const store = request.result.createObjectStore('commits', { keyPath: 'last' });
      store.createIndex('commandId', 'commandId');
      store.createIndex('streams', 'streams', { multiEntry: true });
      request.result.createObjectStore('streams');
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  await new Promise<void>((resolve) => {
    const transaction = database.transaction(['meta', 'commits', 'streams'], 'readwrite');
    transaction.oncomplete = () => resolve();
    transaction.objectStore('meta').put({ write: 1, minReader: 1, logId, head: all.length }, 'log');
    for (const { commandId } of written) {
      const events = all.filter(({ meta }) => meta.commandId === commandId);
      for (let offset = 0; offset < events.length; offset += 256) {
        const run = events.slice(offset, offset + 256);
        const streams = [...new Set(run.map(({ stream }) => stream))];
        const rows = run.map((e) => [streams.indexOf(e.stream), e.revision, e.type, e.version, e.data]);
        const ends = { first: run[0]?.position ?? 0, last: run.at(-1)?.position ?? 0 };
        const record = { ...ends, ...run[0]?.meta, offset, streams, events: JSON.stringify(rows) };
        if (keep(record)) transaction.objectStore('commits').add(record);
      }
    }
    for (const { stream, revision } of all) transaction.objectStore('streams').put(revision, stream);
  });
  database.close();
  return name;
}

async function readStores(name: string): Promise<Record<'meta' | 'commits' | 'streams' | 'segments', unknown[]>> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const read = (store: string) =>
    new Promise<unknown[]>((resolve) => {
      if (!database.objectStoreNames.contains(store)) return resolve([]);
      const transaction = database.transaction(store);
      const request = transaction.objectStore(store).getAll();
      // A connection that closes sooner holds up the next opening.
      transaction.oncomplete = () => resolve(request.result);
    });
  const stores = {
    meta: await read('meta'),
    commits: await read('commits'),
    streams: await read('streams'),
    segments: await read('segments'),
  };
  database.close();
  return stores;
}

async function readAll(log: EventLog): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const page of log.read({})) events.push(...page);
  return events;
}

async function readCommits(log: EventLog): Promise<StoredCommit[]> {
  const stored: StoredCommit[] = [];
  for await (const page of log.readCommits()) stored.push(...page);
  return stored;
}

/** Computed anew. The payloads' keys are put in order here: their texts are what the digest covers. */
function orderHashes(stored: readonly StoredCommit[]): string[] {
  let end = chainStart;
  return stored.map(({ events, orderHash: _orderHash, ...head }) => {
    const payloads = events.map(({ data }) => {
      const { a, b, text } = data as { a: { y: unknown; z: unknown }; b: unknown; text: unknown };
      return JSON.stringify({ a: { y: a.y, z: a.z }, b, text });
    });
    end = linkCommit(logId, head, events, payloads, end);
    return Array.from(end.order, (byte) => byte.toString(16).padStart(2, '0')).join('');
  });
}
