import { describe, expect, it } from 'vitest';
import { eventLogConformance } from '../testing/event-log-conformance.ts';
import { type DexieEventLogOptions, openDexieEventLog } from './dexie-event-log.ts';
import type { EventLog, NewCommit } from './event-log.ts';
import { requestResult } from './idb.ts';

const env = { now: () => 0, newId: () => crypto.randomUUID() };

function openLog(name: string, options: Partial<DexieEventLogOptions> = {}): Promise<EventLog> {
  return openDexieEventLog({ name, env, ...options });
}

function oneEvent(commandId: string): NewCommit {
  const events = [{ stream: 'a-1', type: 'Counted', version: 1, data: {} }];
  return { commandId, correlationId: commandId, recordedAt: 0, events };
}

/** Opens the database past the log, as other code or a damaged browser would. */
function openRaw(name: string, version?: number): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function putRaw(name: string, change: (record: Record<string, unknown>) => Record<string, unknown> | undefined) {
  const database = await openRaw(name);
  await new Promise<void>((resolve) => {
    const transaction = database.transaction('meta', 'readwrite');
    transaction.oncomplete = () => resolve();
    const meta = transaction.objectStore('meta');
    const request = meta.get('log');
    request.onsuccess = () => {
      const changed = change(request.result);
      if (changed === undefined) meta.delete('log');
      else meta.put(changed, 'log');
    };
  });
  database.close();
}

/** What the IndexedDB log promises beyond the port; run over fake-indexeddb in Node and in a real browser. */
export function describeDexieEventLog(): void {
  describe('the event log in IndexedDB', () => {
    const factory = async () => {
      const name = `test-${crypto.randomUUID()}`;
      return { log: await openLog(name), open: () => openLog(name) };
    };
    for (const { name, run } of eventLogConformance(factory)) it(name, run);

    it('gives one log id to everybody who opens it first at the same time', async () => {
      const name = `test-${crypto.randomUUID()}`;
      const logs = await Promise.all([openLog(name), openLog(name), openLog(name)]);
      expect(new Set(logs.map(({ logId }) => logId)).size).toBe(1);
      for (const log of logs) log.close();
    });

    it('rejects a write that awaits something else inside the transaction', async () => {
      const { log } = await factory();
      const write = log.write(async (transaction) => {
        await transaction.append(oneEvent('c1'));
        await new Promise((resolve) => setTimeout(resolve, 50));
        await transaction.revisions(['a-2']);
      });
      await expect(write).rejects.toThrow();
      log.close();
    });

    it('refuses to write where newer code has written, and still reads', async () => {
      const name = `test-${crypto.randomUUID()}`;
      const log = await openLog(name);
      await log.write((transaction) => transaction.append(oneEvent('c1')));
      await putRaw(name, (record) => ({ ...record, write: 4 }));
      await expect(log.write((transaction) => transaction.append(oneEvent('c2')))).rejects.toMatchObject({
        failure: { type: 'storage.outdated' },
      });
      expect(await log.head()).toBe(1);
      log.close();
    });

    it('refuses to open what it cannot read', async () => {
      const name = `test-${crypto.randomUUID()}`;
      (await openLog(name)).close();
      await putRaw(name, (record) => ({ ...record, write: 4, minReader: 4 }));
      await expect(openLog(name)).rejects.toMatchObject({ failure: { type: 'storage.outdated' } });
    });

    it('never fills up a log that was cleared under it', async () => {
      const name = `test-${crypto.randomUUID()}`;
      const log = await openLog(name);
      await log.write((transaction) => transaction.append(oneEvent('c1')));
      await putRaw(name, () => undefined);
      await expect(log.write((transaction) => transaction.append(oneEvent('c2')))).rejects.toMatchObject({
        failure: { type: 'storage.reset' },
      });
      log.close();
    });

    it('says so when its database is deleted while open, and stays closed', async () => {
      const name = `test-${crypto.randomUUID()}`;
      const told: string[] = [];
      const log = await openLog(name, { onClosed: ({ type }) => told.push(type) });
      await log.write((transaction) => transaction.append(oneEvent('c1')));
      await new Promise((resolve) => {
        indexedDB.deleteDatabase(name).onsuccess = resolve;
      });
      expect(told).toEqual(['storage.reset']);
      await expect(log.write((transaction) => transaction.append(oneEvent('c2')))).rejects.toMatchObject({
        failure: { type: 'storage.reset' },
      });
    });

    it('lets another tab upgrade the database, and says so', async () => {
      const name = `test-${crypto.randomUUID()}`;
      const told: string[] = [];
      await openLog(name, { onClosed: ({ type }) => told.push(type) });
      (await openRaw(name, 1000)).close();
      expect(told).toEqual(['storage.outdated']);
    });

    it('is not in the way of another version where it opened after its time was up', async () => {
      const name = `test-${crypto.randomUUID()}`;
      const old = await openRaw(name, 1);
      await expect(openLog(name, { openTimeoutMs: 50 })).rejects.toMatchObject({
        failure: { type: 'storage.unavailable' },
      });
      old.close();
      await new Promise((resolve) => setTimeout(resolve, 100));
      const newer = await openRaw(name, 1_000);
      expect(newer.version).toBe(1_000);
      newer.close();
    });

    it('verifies a log of which more is sealed meanwhile', async () => {
      const { log } = await factory();
      let commits = 0;
      const appendMany = (count: number) =>
        log.write(async (transaction) => {
          for (let end = commits + count; commits < end; commits += 1) {
            const { events, ...rest } = oneEvent(`c${commits}`);
            await transaction.append({ ...rest, events: Array.from({ length: 50 }, () => events).flat() });
          }
        });
      // More than one part, all but the tail sealed; a timer seals, and nothing tells when it is done.
      await appendMany(400);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await appendMany(60);
      const onProgress = () => {
        for (const end = performance.now() + 60; performance.now() < end; );
      };
      expect(await log.verify({ onProgress })).toEqual({ status: 'verified', events: 23_000 });
      log.close();
    }, 30_000);

    it('tells an evicted log from a new user by the hint of the page', async () => {
      const name = `test-${crypto.randomUUID()}`;
      await expect(openLog(name, { hint: { logId: 'gone', head: 7 } })).rejects.toMatchObject({
        failure: { type: 'storage.reset' },
      });
      const log = await openLog(name, { hint: { logId: 'gone', head: 0 } });
      log.close();
    });

    it('tells a log that lost its end by the hint of the page', async () => {
      const name = `test-${crypto.randomUUID()}`;
      const log = await openLog(name);
      await log.write((transaction) => transaction.append(oneEvent('c1')));
      log.close();
      await expect(openLog(name, { hint: { logId: log.logId, head: 2 } })).rejects.toMatchObject({
        failure: { type: 'storage.reset', text: expect.stringContaining('held 2, and 1 are left') },
      });
      const whole = await openLog(name, { hint: { logId: log.logId, head: 1 } });
      expect(whole.logId).toBe(log.logId);
      whole.close();
    });

    it('does not start a log anew where its record was lost and the page remembers it', async () => {
      const name = `test-${crypto.randomUUID()}`;
      const log = await openLog(name);
      await log.write((transaction) => transaction.append(oneEvent('c1')));
      log.close();
      await putRaw(name, () => undefined);
      const hint = { logId: log.logId, head: 1 };
      await expect(openLog(name, { hint })).rejects.toMatchObject({ failure: { type: 'storage.reset' } });
    });

    it('writes nothing where segments of its tail were lost', async () => {
      const name = `test-${crypto.randomUUID()}`;
      const log = await openLog(name);
      await log.write((transaction) => transaction.append(oneEvent('c1')));
      log.close();
      const database = await openRaw(name);
      await new Promise<void>((resolve) => {
        const transaction = database.transaction('segments', 'readwrite');
        transaction.oncomplete = () => resolve();
        transaction.objectStore('segments').clear();
      });
      database.close();
      const again = await openLog(name);
      await expect(again.write((transaction) => transaction.append(oneEvent('c1')))).rejects.toMatchObject({
        failure: { type: 'storage.damaged' },
      });
      again.close();
    });

    it('goes on where more streams end in its tail than are remembered of what is sealed', {
      timeout: 30_000,
    }, async () => {
      const name = `test-${crypto.randomUUID()}`;
      const log = await openLog(name);
      const streams = Array.from({ length: 101_000 }, (_, index) => `s-${index}`);
      const events = streams.map((stream) => ({ stream, type: 'Counted', version: 1, data: {} }));
      const long: NewCommit = { commandId: 'long', correlationId: 'long', recordedAt: 0, events };
      await log.write((transaction) => transaction.append(long));
      const other = await openLog(name);
      for (const [index, each] of [log, other].entries()) {
        await each.write((transaction) => transaction.append(oneEvent(`c${index}`)));
        expect(await each.revisions(['a-1', 's-0', 's-100999'])).toEqual([index, 0, 0]);
      }
      for (const each of [log, other]) each.close();
    });

    it('reads only segments that end behind the position that a decision has seen', async () => {
      const name = `test-${crypto.randomUUID()}`;
      const log = await openLog(name);
      for (let index = 0; index < 4; index += 1) {
        const events = Array.from({ length: 1_000 }, () => oneEvent('').events).flat();
        await log.write((transaction) => transaction.append({ ...oneEvent(`c${index}`), events }));
      }
      const readSealed = async () => {
        const database = await openRaw(name);
        const record = await requestResult(database.transaction('meta').objectStore('meta').get('log'));
        database.close();
        return record.sealed;
      };
      await expect.poll(readSealed, { timeout: 5_000 }).toBeGreaterThanOrEqual(2_000);
      const other = await openLog(name);
      const real = IDBObjectStore.prototype.get;
      let asked = 0;
      IDBObjectStore.prototype.get = function (key) {
        if (this.name === 'segments' && this.transaction.db.name === name) asked += 1;
        return real.call(this, key);
      };
      try {
        const read = (after: number) =>
          other.write(async (transaction) => (await transaction.readMatching([{ types: ['Counted'] }], after)).length);
        expect([await read(4_000), asked]).toEqual([0, 0]);
        expect([await read(1_900), asked <= 5]).toEqual([2_100, true]);
        expect([await read(0), asked > 2]).toEqual([4_000, true]);
      } finally {
        IDBObjectStore.prototype.get = real;
      }
      for (const each of [log, other]) each.close();
    });

    it('opens a connection that was closed under it anew, without a word', async () => {
      const name = `test-${crypto.randomUUID()}`;
      const log = await openLog(name);
      await log.write((transaction) => transaction.append(oneEvent('c1')));
      // What a browser does when its storage process dies: every handle of the database is closing.
      const real = IDBDatabase.prototype.transaction;
      let lost = 0;
      IDBDatabase.prototype.transaction = function (...input) {
        if (this.name === name && lost < 2) {
          lost += 1;
          throw new DOMException('The database connection is closing.', 'InvalidStateError');
        }
        return real.apply(this, input);
      };
      try {
        await log.write((transaction) => transaction.append(oneEvent('c2')));
      } finally {
        IDBDatabase.prototype.transaction = real;
      }
      expect(lost).toBe(2);
      expect(await log.head()).toBe(2);
      log.close();
    });

    it('waits for a long transaction of somebody else, as long as that goes on', async () => {
      const name = `test-${crypto.randomUUID()}`;
      const log = await openDexieEventLog({ name, env, hangMs: 60 });
      const database = await openRaw(name);
      const long = database.transaction(['meta', 'segments'], 'readwrite');
      const endAt = performance.now() + 450;
      const goOn = () => {
        if (performance.now() > endAt) return;
        long.objectStore('meta').get('log').onsuccess = goOn;
      };
      goOn();
      // Each attempt is given up after 60 ms, in which nothing of it was done.
      expect(await log.write((transaction) => transaction.append(oneEvent('c1')))).toHaveLength(1);
      expect(performance.now()).toBeGreaterThan(endAt);
      database.close();
      log.close();
    });

    it('tells another opening the events of a small commit, and of a long one only that there are more', async () => {
      const { log, open } = await factory();
      const other = await open();
      const told: [head: number, positions: number[]][] = [];
      const stop = other.onGrowth((head, events) => told.push([head, events.map(({ position }) => position)]));
      await log.write((transaction) => transaction.append(oneEvent('c1')));
      await expect.poll(() => told).toEqual([[1, [1]]]);
      await log.write(async (transaction) => {
        for (let index = 0; index < 40; index += 1) await transaction.append(oneEvent(`d${index}`));
      });
      await expect
        .poll(() => told)
        .toEqual([
          [1, [1]],
          [41, []],
        ]);
      stop();
      for (const each of [log, other]) each.close();
    });

    it('keeps saved rows beside the log, and only where they fit it', async () => {
      const { log, open } = await factory();
      await log.write(async (transaction) => {
        for (let index = 0; index < 9; index += 1) await transaction.append(oneEvent(`c${index}`));
      });
      const rows = Array.from({ length: 1234 }, (_, index) => [`key-${index}`, { index }] as const);
      const built = { projection: 'rows', signature: 'rows@2', upTo: 4, isComplete: false, rows: rows.slice(0, 7) };
      const shown = { projection: 'rows', signature: 'rows@1', upTo: 9, isComplete: true, rows };
      const other = { projection: 'others', signature: 'others@1', upTo: 9, isComplete: true, rows: [], left: ['x'] };
      expect(await log.snapshots.saveProjections([{ ...shown, upTo: 10 }])).toBe(false);
      expect(await log.snapshots.saveProjections([shown, other])).toBe(true);
      expect(await log.snapshots.saveProjections([built])).toBe(true);
      const bySignature = async (opened: typeof log) =>
        [...(await opened.snapshots.loadProjections())].sort((a, b) => (a.signature < b.signature ? -1 : 1));
      expect(await bySignature(await open())).toEqual([other, shown, built]);
      // The log goes on: they still stand at a commit of it.
      await log.write((transaction) =>
        transaction.append({ ...oneEvent('c9'), events: [...oneEvent('c9').events, ...oneEvent('c9').events] }),
      );
      expect(await bySignature(log)).toEqual([other, shown, built]);
      // Nothing is saved in the middle of a commit; what is complete takes the place of all of its projection.
      expect(await log.snapshots.saveProjections([{ ...built, upTo: 10 }])).toBe(false);
      expect(await log.snapshots.saveProjections([{ ...built, upTo: 11, isComplete: true }])).toBe(true);
      expect(await bySignature(log)).toEqual([other, { ...built, upTo: 11, isComplete: true }]);
      await log.snapshots.saveStates([{ stream: 'a-1', signature: 'a@1', revision: 9, state: { count: 10 } }]);
      expect(await log.snapshots.loadStates(['b-1', 'a-1'])).toMatchObject([
        undefined,
        { revision: 9, state: { count: 10 } },
      ]);
      await log.snapshots.clear();
      expect(await log.snapshots.loadProjections()).toEqual([]);
      expect(await log.snapshots.loadStates(['a-1'])).toEqual([undefined]);
      log.close();
    });

    it('does not use rows that were saved of another history', async () => {
      const name = `test-${crypto.randomUUID()}`;
      const log = await openLog(name);
      await log.write((transaction) => transaction.append(oneEvent('c1')));
      await log.snapshots.saveProjections([
        { projection: 'rows', signature: 'rows@1', upTo: 1, isComplete: true, rows: [] },
      ]);
      await putRaw(name, (record) => ({ ...record, order: new Uint8Array(32).fill(7) }));
      expect(await log.snapshots.loadProjections()).toEqual([]);
      log.close();
    });
  });
}
