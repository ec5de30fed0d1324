import { describe, expect, it } from 'vitest';
import { noHash } from '../protocol/sync-commit.ts';
import {
  append,
  appendAll,
  failureOf,
  positionsOf,
  readAll,
  readAllCommits,
} from '../testing/conformance/log-access.ts';
import { commitOf, range, sampleCommits } from '../testing/conformance/sample-commits.ts';
import { type DexieEventLogOptions, openDexieEventLog } from './dexie-event-log.ts';
import { exportLog } from './export-log.ts';
import { importLog } from './import-log.ts';
import type { LogRecord } from './log-record.ts';
import { patchStorage } from './storage-faults.contract.ts';
import { createAuthor, describeSyncedLog, expectLinked, pull, toChecked } from './synced-log.contract.ts';
import { describeSyncedModel } from './synced-model.contract.ts';
// Loaded before it is needed: the tests wait for sealings, not for files.
import './seal.ts';

const env = { now: () => 0, newId: () => crypto.randomUUID().replaceAll('-', '') };

/** Sync on the log in IndexedDB; run over fake-indexeddb in Node and in a real browser. */
export function describeDexieSyncedLog(): void {
  const openNew = async () => {
    const name = `test-${crypto.randomUUID()}`;
    const open = (options: Partial<DexieEventLogOptions> = {}) => openDexieEventLog({ name, env, ...options });
    return { name, log: await open(), open };
  };

  describeSyncedLog('the event log in IndexedDB that is synchronised', openNew);

  describeSyncedModel('the log in IndexedDB and a model of its order', openNew, { seeds: [11, 12, 13, 14], steps: 50 });

  describe('what is synchronised, in IndexedDB', () => {
    it('is written as before until sync is opened, and is closed to older code from then on', async () => {
      const { name, log, open } = await openNew();
      await append(log, commitOf('c1', ['a-1'], { note: 'dropped' }));
      expect(await readRecord(name)).toMatchObject({ write: 2, minReader: 2 });
      expect(await readRecord(name)).not.toHaveProperty('sync');
      await log.openSync();
      expect(await readRecord(name)).toMatchObject({ write: 3, minReader: 3, sync: { rebases: 0 } });
      log.close();
      const again = await open();
      expect(again.order).toEqual({ confirmed: 0, rebases: 0 });
      again.close();
    });

    it('is opened and read where newer code has written, and refuses every transaction', async () => {
      for (const isSynced of [true, false]) {
        const { name, log, open } = await openNew();
        await append(log, commitOf('c1', ['a-1']));
        if (isSynced) await log.openSync();
        log.close();
        const newer = { ...(await readRecord(name)), write: 4 };
        await writeRecord(name, newer);
        const again = await open();
        const synced = await again.openSync();
        expect((await readAll(again)).map(({ stream }) => stream)).toEqual(['a-1']);
        expect(await failureOf(synced.write((transaction) => transaction.readAfter(0)))).toMatchObject({
          type: 'storage.outdated',
        });
        expect(await failureOf(again.verify())).toMatchObject({ type: 'storage.outdated' });
        expect(await readRecord(name)).toEqual(newer);
        again.close();
      }
    });

    it('is begun where the device is full, and marked by the first write that finds room', async () => {
      const storage = patchStorage();
      try {
        const { name, log, open } = await openNew();
        await append(log, commitOf('c1', ['a-1']));
        const fault = storage.inject(name, { kind: 'aborts-quota', n: 1, times: 1_000 });
        const synced = await log.openSync();
        expect(fault.hits).toBeGreaterThan(0);
        expect(log.order).toEqual({ confirmed: 0, rebases: 0 });
        expect(await failureOf(append(log, commitOf('c2', ['a-1'])))).toMatchObject({ type: 'storage.quota-exceeded' });
        fault.remove();
        expect(await readRecord(name)).toMatchObject({ write: 2, minReader: 2 });
        // To look changes nothing.
        const look = () => synced.write(async ({ head, base, beside }) => [head, base.g, await beside.list('note')]);
        expect(await look()).toEqual([1, 0, []]);
        expect(await readRecord(name)).toMatchObject({ write: 2, minReader: 2 });
        await append(log, commitOf('c2', ['a-1'], { note: 'kept' }));
        expect(await look()).toEqual([2, 0, [['c2', 'kept']]]);
        expect(await readRecord(name)).toMatchObject({ write: 3, minReader: 3, sync: { rebases: 0 } });
        expect(await log.verify()).toEqual({ status: 'verified', events: 2 });
        log.close();
        const again = await open();
        expect(again.order).toEqual({ confirmed: 0, rebases: 0 });
        again.close();
      } finally {
        storage.restore();
      }
    });

    it('is broken where it names another end of what is confirmed than its commits do', async () => {
      const { name, log } = await openNew();
      const synced = await log.openSync();
      for (const id of ['c1', 'c2', 'c3']) await append(log, commitOf(id, ['a-1', 'b-1']));
      const [first, second] = await synced.write((transaction) => transaction.readAfter(0));
      const noBase = { epoch: '', g: 0, oh: noHash };
      const verifyWith = async (base: { readonly g: number; readonly oh: string | undefined }) => {
        const record = await readRecord(name);
        await writeRecord(name, { ...record, sync: { rebases: 0, forks: [], base: { ...noBase, ...base } } as never });
        return log.verify();
      };
      const broken = (position: number) => expect.objectContaining({ status: 'broken', position });
      expect(await verifyWith({ g: 4, oh: second?.oh })).toEqual({ status: 'verified', events: 6 });
      expect(await verifyWith({ g: 4, oh: first?.oh })).toEqual(broken(3));
      expect(await verifyWith({ g: 3, oh: second?.oh })).toEqual(broken(3));
      expect(await verifyWith({ g: 0, oh: first?.oh })).toEqual(broken(1));
      expect(await verifyWith({ g: 7, oh: second?.oh })).toEqual(broken(7));
      expect(await verifyWith(noBase)).toEqual({ status: 'verified', events: 6 });
      log.close();
    });

    it('may be shorter than the page remembers', async () => {
      const { log, open } = await openNew();
      await appendAll(
        log,
        range(1, 4).map((index) => commitOf(`c${index}`, ['a-1'])),
      );
      const hint = { logId: log.logId, head: 4 };
      await (await log.openSync()).write((transaction) => transaction.cutAfter(2));
      log.close();
      const again = await open({ hint });
      expect(await again.head()).toBe(2);
      again.close();
    });

    it('is begun under the id of another device’s log, and never takes another’s place', async () => {
      const name = `test-${crypto.randomUUID()}`;
      const log = await openDexieEventLog({ name, env, logId: 'theirs' });
      expect(log.logId).toBe('theirs');
      log.close();
      const again = await openDexieEventLog({ name, env, logId: 'theirs' });
      again.close();
      expect(await failureOf(openDexieEventLog({ name, env, logId: 'others' }))).toMatchObject({
        type: 'storage.failed',
        text: expect.stringContaining('holds the log "theirs"'),
      });
    });

    it('is told of by nobody who keeps another copy of it in the same browser', async () => {
      const openCopy = (name = `test-${crypto.randomUUID()}`) => openDexieEventLog({ name, env, logId: 'shared' });
      const log = await openCopy();
      const copy = await openCopy();
      const told: [of: string, head: number][] = [];
      log.onGrowth((head) => told.push(['log', head]));
      copy.onGrowth((head) => told.push(['copy', head]));
      await append(log, commitOf('c1', ['a-1']));
      await append(copy, commitOf('x1', ['a-1']));
      await append(copy, commitOf('x2', ['a-1']));
      // A message would have come by now: those of a copy that is told of come after it.
      const last = await openDexieEventLog({ name: copy.address.slice(0, copy.address.lastIndexOf(':')), env });
      last.onGrowth((head) => told.push(['last', head]));
      await append(copy, commitOf('x3', ['a-1']));
      await expect.poll(() => told.at(-1)).toEqual(['last', 3]);
      expect(told).toEqual([
        ['log', 1],
        ['copy', 1],
        ['copy', 2],
        ['copy', 3],
        ['last', 3],
      ]);
      expect(last.address).toBe(copy.address);
      expect(log.address).not.toBe(copy.address);
      for (const each of [log, copy, last]) each.close();
    });

    it('tells no events that stand in another order than an opening knows', async () => {
      const { log, open } = await openNew();
      const other = await open();
      const synced = await log.openSync();
      const told: [head: number, positions: number[]][] = [];
      other.onGrowth((head, events) => told.push([head, positionsOf(events)]));
      await append(log, commitOf('c1', ['a-1']));
      await expect.poll(() => told.at(-1)).toEqual([1, [1]]);
      await pull(synced, [createAuthor(log.logId, 'ann').write('x1', ['a-1'])]);
      await expect.poll(() => told.at(-1)).toEqual([2, []]);
      await append(log, commitOf('c2', ['a-1']));
      await expect.poll(() => told.at(-1)).toEqual([3, []]);
      await other.head();
      await append(log, commitOf('c3', ['a-1']));
      await expect.poll(() => told.at(-1)).toEqual([4, [4]]);
      for (const each of [log, other]) each.close();
    });

    it('is cut through segments and blocks of the index, and sealed again', async () => {
      const { name, log, open } = await openNew();
      const commits = sampleCommits(900);
      await appendAll(log, commits);
      await sealed(name, 1_000);
      const other = await open();
      // Has all of the index in memory.
      await other.revisions(['none']);
      const synced = await log.openSync();
      const ends = (await readAllCommits(log)).map(({ events }) => events.at(-1)?.position ?? 0);
      const ann = createAuthor(log.logId, 'ann');
      // The 140th is a commit in pieces.
      for (const [round, at] of [800, 500, 141, 140, 139, 3, 0].entries()) {
        const g = at === 0 ? 0 : (ends[at - 1] ?? 0);
        const before = await readAll(log);
        await synced.write(async (transaction) => {
          const cut = await transaction.cutAfter(g);
          await transaction.place(toChecked(ann.write(`x${round}`, ['account-1', 'b-1'])));
          for (const { commit } of cut) {
            expect(await transaction.findCommit(commit.commandId)).toBe(undefined);
            await transaction.append({ ...commit });
          }
        });
        // Now and then the other opening looks only when it has been sealed again.
        if (round % 2 === 0) await sealed(name, (await log.head()) - 1_100);
        const after = await readAll(log);
        expect(after.slice(0, g)).toEqual(before.slice(0, g));
        expect(after.slice(g + 2).map(({ id }) => id)).toEqual(before.slice(g).map(({ id }) => id));
        const streams = [...new Set(after.map(({ stream }) => stream)), 'none'];
        const revisions = streams.map((stream) => after.findLast((event) => event.stream === stream)?.revision ?? -1);
        expect(await other.revisions(streams)).toEqual(revisions);
        for (const each of [log, other]) {
          expect(await readAll(each, { stream: 'account-1' })).toEqual(
            after.filter(({ stream }) => stream === 'account-1'),
          );
          expect(await readAll(each, { tags: ['rare'], backwards: true })).toEqual(
            after.filter(({ tags }) => tags?.includes('rare')).reverse(),
          );
        }
        expect(await other.verify()).toEqual({ status: 'verified', events: after.length });
        ends.forEach((end, index) => {
          if (index >= at) ends[index] = end + 2;
        });
        if (round % 2 === 1) await sealed(name, (await other.head()) - 1_100);
      }
      expectLinked(log.logId, await synced.write((transaction) => transaction.readAfter(0)));
      await sealed(name, (await other.head()) - 1_100);
      const fresh = await open();
      expect(await fresh.verify()).toMatchObject({ status: 'verified' });
      for (const each of [log, other, fresh]) each.close();
    }, 60_000);

    it('is found anew where segments end as before and hold something else', async () => {
      const { name, log, open } = await openNew();
      // In one write: segments of 512, also after the rebase.
      await log.write(async (transaction) => {
        for (const index of range(1, 3_000)) await transaction.append(commitOf(`c${index}`, ['a-1']));
      });
      await sealed(name, 2_560);
      const other = await open();
      expect((await readAll(other, { stream: 'a-1' })).length).toBe(3_000);
      expect(await other.revisions(['a-1', 'b-1'])).toEqual([2_999, -1]);
      const synced = await log.openSync();
      await synced.write(async (transaction) => {
        const [, ...cut] = await transaction.cutAfter(1_024);
        await transaction.place(toChecked(createAuthor(log.logId, 'ann').write('x1', ['b-1'])));
        for (const { commit } of cut) await transaction.append({ ...commit });
      });
      await sealed(name, 2_560);
      expect(positionsOf(await readAll(other, { stream: 'b-1' }))).toEqual([1_025]);
      expect(positionsOf(await readAll(other, { stream: 'a-1', from: 1_023, to: 1_027 }))).toEqual([
        1_023, 1_024, 1_026, 1_027,
      ]);
      expect(await other.revisions(['a-1', 'b-1'])).toEqual([2_998, 0]);
      await append(other, commitOf('c0', ['a-1', 'b-1']));
      expect((await readAll(log, { from: 3_001 })).map(({ revision }) => revision)).toEqual([2_999, 1]);
      for (const each of [log, other]) each.close();
    }, 30_000);

    it('refuses to be cut inside a commit in pieces', async () => {
      const { log } = await openNew();
      await append(
        log,
        commitOf(
          'long',
          range(1, 1500).map((number) => `a-${number}`),
        ),
      );
      await append(log, commitOf('c2', ['a-1']));
      const synced = await log.openSync();
      for (const g of [1, 511, 512, 513, 1024, 1499]) {
        await expect(synced.write((transaction) => transaction.cutAfter(g))).rejects.toThrow('no commit ends');
      }
      const [long] = await synced.write((transaction) => transaction.readAfter(0, 1));
      expect(long?.events.length).toBe(1500);
      expect((await synced.write((transaction) => transaction.cutAfter(1500))).length).toBe(1);
      expect(await log.verify()).toEqual({ status: 'verified', events: 1500 });
      log.close();
    });

    it('is cut at any commit of a long end, which is read a page at a time', async () => {
      // Nothing seals it meanwhile: a segment for each commit, and 32 of them to a page.
      for (const g of [0, 1, 2, 33, 34, 65, 69, 70]) {
        const { log } = await openNew();
        const synced = await log.openSync();
        for (const number of range(1, 70)) await append(log, commitOf(`c${number}`, ['a-1']));
        const cut = await synced.write((transaction) => transaction.cutAfter(g));
        expect(cut.map(({ commit }) => commit.commandId)).toEqual(range(g + 1, 70).map((number) => `c${number}`));
        expect(await log.head()).toBe(g);
        expect(await log.verify()).toEqual({ status: 'verified', events: g });
        log.close();
      }
    });

    it('is sealed without joining commits of which one does not follow the other', async () => {
      const { name, log, open } = await openNew();
      const synced = await log.openSync();
      const authors = ['ann', 'bob'].map((client) => createAuthor(log.logId, client));
      const page = range(1, 1_400).map((index) => authors[index % 2]?.write(`x${index}`, ['a-1', `s-${index % 9}`]));
      // Every thirtieth is put off to the end, as one that is recovered is.
      const late = page.filter((_commit, index) => index % 30 === 7);
      const commits = [...page.filter((commit) => !late.includes(commit)), ...late].flatMap((each) => each ?? []);
      for (let start = 0; start < commits.length; start += 3) await pull(synced, commits.slice(start, start + 3));
      await sealed(name, 1_500);
      expect(await log.verify()).toEqual({ status: 'verified', events: 2_800 });
      const other = await open();
      const read = await (await other.openSync()).write((transaction) => transaction.readAfter(0));
      expect(read.map(({ commit }) => commit)).toEqual(commits);
      expectLinked(log.logId, read);
      // And is exported and imported as it is.
      const lines: string[] = [];
      for await (const text of exportLog(other, 'test')) lines.push(text);
      const { log: target, open: openTarget } = await openNew();
      const targetSync = await target.openSync();
      await append(target, commitOf('gone', ['a-1'], { note: 'gone' }));
      await targetSync.write(async ({ beside }) => beside.put('refused', 'r', 1));
      await importLog(new Blob(lines).stream(), await target.stage({ importId: crypto.randomUUID(), replace: true }), {
        app: 'test',
      });
      target.close();
      const imported = await openTarget();
      expect(imported.order.confirmed).toBe(undefined);
      expect((await readAllCommits(imported)).map(({ orderHash }) => orderHash)).toEqual(read.map(({ oh }) => oh));
      expect(await imported.verify()).toEqual({ status: 'verified', events: 2_800 });
      const beside = await (await imported.openSync()).write(async (transaction) => [
        transaction.base,
        await transaction.beside.count('refused'),
        await transaction.beside.count('note'),
      ]);
      expect(beside).toEqual([{ epoch: '', g: 0, oh: noHash }, 0, 0]);
      for (const each of [log, other, imported]) each.close();
    }, 60_000);

    it('is verified while the order changes', async () => {
      const { name, log, open } = await openNew();
      const synced = await log.openSync();
      await appendAll(log, sampleCommits(1_500, 3));
      await sealed(name, 2_500);
      const other = await open();
      const ann = createAuthor(log.logId, 'ann');
      const moved: Promise<unknown>[] = [];
      let turn = 0;
      const rebase = async () => {
        turn += 1;
        const own = turn;
        await synced.write(async (transaction) => {
          const commits = await transaction.readAfter(0);
          const { g } = commits[Math.floor((commits.length * own) / 9)] ?? transaction.end;
          const cut = await transaction.cutAfter(g);
          await transaction.place(toChecked(ann.write(`x${own}`, ['b-1'])));
          for (const { commit } of cut) await transaction.append({ ...commit });
        });
      };
      const onProgress = () => void (turn < 7 && moved.push(rebase()));
      expect(await other.verify({ onProgress })).toMatchObject({ status: 'verified' });
      await Promise.all(moved);
      expect(moved.length).toBeGreaterThan(0);
      expect(await other.verify()).toEqual({ status: 'verified', events: await log.head() });
      for (const each of [log, other]) each.close();
    }, 60_000);
  });
}

const readRecord = (name: string): Promise<LogRecord> => inMeta(name, 'readonly', (meta) => meta.get('log'));

const writeRecord = (name: string, record: LogRecord) => inMeta(name, 'readwrite', (meta) => meta.put(record, 'log'));

function inMeta<Value>(
  name: string,
  mode: IDBTransactionMode,
  ask: (meta: IDBObjectStore) => IDBRequest<Value>,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction('meta', mode);
      const request = ask(transaction.objectStore('meta'));
      transaction.oncomplete = () => {
        opening.result.close();
        resolve(request.result);
      };
    };
  });
}

/** Waits until a log is sealed up to a position: a timer does it, and nothing tells. */
async function sealed(name: string, position: number): Promise<void> {
  await expect.poll(async () => (await readRecord(name)).sealed, { timeout: 20_000 }).toBeGreaterThanOrEqual(position);
}
