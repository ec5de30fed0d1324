import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../core/events.ts';
import { chainStart, orderHash } from '../protocol/commit-digest.ts';
import { bytesToHex, hexToBytes } from '../protocol/hex.ts';
import { noHash, type SyncCommit, toCanonicalCommit } from '../protocol/sync-commit.ts';
import {
  append,
  appendAll,
  failureOf,
  pause,
  positionsOf,
  readAll,
  readAllCommits,
} from '../testing/conformance/log-access.ts';
import { commitOf, eventOf, range } from '../testing/conformance/sample-commits.ts';
import type { CheckedCommit } from './checked-commit.ts';
import type { EventLog } from './event-log.ts';
import { checkCommit } from './ordered-commit.ts';
import type { OrderedCommit, SyncedLog, SyncTransaction } from './synced-log.ts';

/** A fresh log, and a way to open it once more, as another tab does. */
export type SyncedLogFactory = () => Promise<{ readonly log: EventLog; readonly open: () => Promise<EventLog> }>;

/** What every log promises to sync; run on the one in memory, and on IndexedDB in Node and in a real browser. */
export function describeSyncedLog(name: string, factory: SyncedLogFactory): void {
  describe(name, () => {
    /** Closes whatever a test has opened. */
    const inLogs = (run: (log: EventLog, open: () => Promise<EventLog>) => Promise<void>) => async () => {
      const { log, open } = await factory();
      const opened = [log];
      try {
        await run(log, async () => {
          const other = await open();
          opened.push(other);
          return other;
        });
      } finally {
        for (const each of opened) each.close();
      }
    };

    it(
      'makes the whole history pending, and changes nothing else of it',
      inLogs(async (log) => {
        await appendAll(
          log,
          range(1, 9).map((index) => commitOf(`c${index}`, ['a-1', 'a-2'])),
        );
        const before = await readAllCommits(log);
        expect(log.order).toEqual({ confirmed: undefined, rebases: 0 });
        const synced = await log.openSync();
        expect(log.order).toEqual({ confirmed: 0, rebases: 0 });
        const read = await synced.write(async (transaction) => ({
          base: transaction.base,
          clientSeq: transaction.clientSeq,
          end: transaction.end,
          commits: await transaction.readAfter(0),
        }));
        expect(read).toMatchObject({ base: { epoch: '', g: 0, oh: noHash }, clientSeq: 9 });
        expect(read.end).toEqual({ g: 18, oh: before.at(-1)?.orderHash });
        expect(read.commits.map(({ commit }) => commit.commandId)).toEqual(before.map(({ commandId }) => commandId));
        expect(await readAllCommits(log)).toEqual(before);
        expectLinked(log.logId, read.commits);
      }),
    );

    it(
      'confirms in place: nothing moves but the base',
      inLogs(async (log, open) => {
        await append(log, commitOf('c1', ['a-1']));
        await append(log, commitOf('c2', ['a-1', 'b-1']));
        const synced = await log.openSync();
        const other = await open();
        const told: unknown[] = [];
        other.onRebase((fork) => told.push(fork));
        other.onGrowth((head, events) => told.push([head, events]));
        const [first] = await synced.write((transaction) => transaction.readAfter(0, 1));
        await synced.write(async (transaction) =>
          transaction.setBase({ epoch: 'e', g: first?.g ?? 0, oh: first?.oh ?? '' }),
        );
        expect(log.order).toEqual({ confirmed: 1, rebases: 0 });
        await expect.poll(() => told).toEqual([[3, []]]);
        expect(await other.head()).toBe(3);
        expect(other.order).toEqual({ confirmed: 1, rebases: 0 });
        expect(await synced.write(async ({ base }) => base)).toEqual({ epoch: 'e', g: 1, oh: first?.oh });
      }),
    );

    it(
      'puts what others wrote before what is pending',
      inLogs(async (log, open) => {
        const synced = await log.openSync();
        await append(log, commitOf('c1', ['a-1']));
        await append(log, commitOf('c2', ['a-1', 'b-1']));
        const other = await open();
        const told: string[] = [];
        log.onRebase((fork) => told.push(`own ${fork} ${log.order.rebases}`));
        other.onRebase((fork) => told.push(`other ${fork} ${other.order.rebases}`));
        const ann = createAuthor(log.logId, 'ann');
        await pull(synced, [ann.write('x1', ['a-1']), ann.write('x2', ['c-1', 'c-1'])]);
        expect(told).toEqual(['own 0 1']);
        expect((await readAll(log)).map(({ id, revision }) => `${id} ${revision}`)).toEqual([
          'x1.0 0',
          'x2.0 0',
          'x2.1 1',
          'c1.0 1',
          'c2.0 2',
          'c2.1 0',
        ]);
        expect(await other.revisions(['a-1', 'b-1', 'c-1', 'd-1'])).toEqual([2, 0, 1, -1]);
        expect(told).toEqual(['own 0 1', 'other 0 1']);
        expect(other.order).toEqual({ confirmed: 3, rebases: 1 });
        await append(other, commitOf('c3', ['a-1']));
        expect(positionsOf(await readAll(log, { stream: 'a-1' }))).toEqual([1, 4, 5, 7]);
        expect(await other.verify()).toEqual({ status: 'verified', events: 7 });
        const commits = await synced.write((transaction) => transaction.readAfter(0));
        expectLinked(log.logId, commits);
        expect(commits.map(({ commit }) => [commit.client === 'ann', commit.clientSeq])).toEqual([
          [true, 1],
          [true, 2],
          [false, 1],
          [false, 2],
          [false, 3],
        ]);
      }),
    );

    it(
      'goes back with the number and the link of the next own commit',
      inLogs(async (log) => {
        for (const index of range(1, 4)) await append(log, commitOf(`c${index}`, ['a-1']));
        const synced = await log.openSync();
        const cut = await synced.write((transaction) => transaction.cutAfter(2));
        expect(cut.map(({ commit }) => commit.commandId)).toEqual(['c3', 'c4']);
        expect(log.order.rebases).toBe(1);
        await append(log, commitOf('d3', ['a-1']));
        const commits = await readAllCommits(log);
        expect(commits.map(({ commandId, clientSeq }) => [commandId, clientSeq])).toEqual([
          ['c1', 1],
          ['c2', 2],
          ['d3', 3],
        ]);
        expect(commits[2]?.prev).toBe(cut[0]?.commit.prev);
        expect(await log.verify()).toEqual({ status: 'verified', events: 3 });
      }),
    );

    it(
      'finds nothing of what was cut, in the transaction and after it',
      inLogs(async (log, open) => {
        const streams = ['a-1', 'b-1', 'a-1'];
        await appendAll(
          log,
          range(1, 6).map((index) => commitOf(`c${index}`, streams)),
        );
        const other = await open();
        expect(await other.revisions(['a-1', 'b-1'])).toEqual([11, 5]);
        const synced = await log.openSync();
        const look = async (transaction: SyncTransaction) => ({
          head: transaction.head,
          revisions: await transaction.revisions(['a-1', 'b-1']),
          stream: positionsOf(await transaction.readStream('a-1', 1)),
          matching: positionsOf(await transaction.readMatching([{ stream: 'b-1' }], 3)),
          all: (await transaction.readMatching([{}], 0)).length,
          found: await Promise.all(['c2', 'c3', 'd1'].map(async (id) => (await transaction.findCommit(id))?.length)),
          after: (await transaction.readAfter(3)).map(({ commit }) => commit.commandId),
        });
        const inside = await synced.write(async (transaction) => {
          await transaction.cutAfter(6);
          const cut = await look(transaction);
          await transaction.append(commitOf('d1', ['b-1', 'a-1']));
          return [cut, await look(transaction)];
        });
        const cut = {
          head: 6,
          revisions: [3, 1],
          stream: [3, 4, 6],
          matching: [5],
          all: 6,
          found: [3, undefined, undefined],
        };
        expect(inside[0]).toEqual({ ...cut, after: ['c2'] });
        const after = {
          head: 8,
          revisions: [4, 2],
          stream: [3, 4, 6, 8],
          matching: [5, 7],
          all: 8,
          found: [3, undefined, 2],
          after: ['c2', 'd1'],
        };
        expect(inside[1]).toEqual(after);
        for (const each of [log, other]) {
          expect(await (await each.openSync()).write(look)).toEqual(after);
          expect(await each.revisions(['a-1', 'b-1'])).toEqual([4, 2]);
          expect(positionsOf(await readAll(each))).toEqual(range(1, 8));
        }
      }),
    );

    it(
      'refuses to cut where no commit ends, and what is not to be placed',
      inLogs(async (log) => {
        await append(log, commitOf('c1', ['a-1', 'a-1']));
        const synced = await log.openSync();
        const ann = createAuthor(log.logId, 'ann');
        const first = ann.write('x1', ['a-1']);
        await expect(synced.write((transaction) => transaction.cutAfter(1))).rejects.toThrow('no commit ends');
        await expect(synced.write((transaction) => transaction.cutAfter(3))).rejects.toThrow('no commit ends');
        const again = toChecked({ ...first, commandId: 'c1' });
        await expect(synced.write((transaction) => transaction.place(again))).rejects.toThrow('in the log already');
        const refused = [
          { ...first, logId: 'another' },
          { ...first, prev: 'none' },
          { ...first, clientSeq: 0 },
          { ...first, client: 'Ann!' },
          { ...first, events: [eventOf({ tags: ['b', 'a'] })] },
          { ...first, events: [eventOf({ tags: [] })] },
          { ...first, events: [eventOf({ data: 'x'.repeat(300_000) })] },
        ];
        for (const commit of refused) {
          const check = async () => checkCommit(commit, log.logId);
          expect(await failureOf(check())).toMatchObject({ type: 'storage.event-refused' });
        }
        // Larger than this log allows its own: the server has taken it.
        const large = { ...first, events: [eventOf({ data: 'x'.repeat(200_000) })] };
        await synced.write((transaction) => transaction.place(toChecked(large)));
        expect(await log.head()).toBe(3);
        expect(log.order.rebases).toBe(0);
        await expect(
          synced.write(async (transaction) => transaction.setBase({ epoch: 'e', g: 4, oh: noHash })),
        ).rejects.toThrow('beyond the head');
      }),
    );

    it(
      'follows its own commits where they are placed as they were written',
      inLogs(async (log) => {
        for (const index of range(1, 3)) await append(log, commitOf(`c${index}`, ['a-1']));
        const synced = await log.openSync();
        const ann = createAuthor(log.logId, 'ann');
        const before = await synced.write((transaction) => transaction.readAfter(0));
        await synced.write(async (transaction) => {
          const pending = await transaction.cutAfter(0);
          await transaction.place(toChecked(ann.write('x1', ['b-1'])));
          for (const { commit } of pending) await transaction.place(toChecked(commit));
          expect(transaction.clientSeq).toBe(3);
        });
        await append(log, commitOf('c4', ['a-1']));
        const after = await synced.write((transaction) => transaction.readAfter(1));
        expect(after.slice(0, 3).map(({ digest }) => digest)).toEqual(before.map(({ digest }) => digest));
        expect(after[3]?.commit).toMatchObject({ clientSeq: 4, prev: before[2]?.digest });
        expect(await log.verify()).toEqual({ status: 'verified', events: 5 });
      }),
    );

    it(
      'takes commits whose authors’ chains are not linear',
      inLogs(async (log, open) => {
        const synced = await log.openSync();
        const ann = createAuthor(log.logId, 'ann');
        const lost = ann.write('x1', ['a-1']);
        const second = ann.write('x2', ['a-1', 'b-1']);
        const forked = { ...createAuthor(log.logId, 'ann').write('y1', ['b-1']), clientSeq: 7, prev: 'ab'.repeat(32) };
        await pull(synced, [second, lost]);
        await append(log, commitOf('c1', ['a-1']));
        await pull(synced, [forked, ann.write('x3', ['a-1'])]);
        const other = await open();
        const commits = await (await other.openSync()).write((transaction) => transaction.readAfter(0));
        expect(commits.slice(0, 4).map(({ commit }) => commit)).toEqual([
          second,
          lost,
          forked,
          expect.objectContaining({ commandId: 'x3', clientSeq: 3 }),
        ]);
        expectLinked(log.logId, commits);
        expect((await readAllCommits(other)).map(({ prev }) => prev)).toEqual(commits.map(({ commit }) => commit.prev));
        expect(await other.verify()).toEqual({ status: 'verified', events: 6 });
      }),
    );

    it(
      'writes under another client where it is told to',
      inLogs(async (log) => {
        await append(log, commitOf('c1', ['a-1']));
        const synced = await log.openSync();
        const before = await synced.write(async ({ client }) => client);
        await synced.write(async (transaction) => {
          await transaction.cutAfter(0);
          transaction.renewClient();
          expect(transaction.clientSeq).toBe(0);
          await transaction.append(commitOf('c1', ['a-1']));
        });
        await append(log, commitOf('c2', ['a-1']));
        const [first, second] = await readAllCommits(log);
        expect(first).toMatchObject({ clientSeq: 1, prev: noHash, client: second?.client });
        expect(first?.client).not.toBe(before);
        expect(await log.verify()).toEqual({ status: 'verified', events: 2 });
      }),
    );

    it(
      'keeps data beside the log, in transactions with it',
      inLogs(async (log, open) => {
        await append(log, commitOf('c0', ['a-1'], { note: { dropped: true } }));
        const synced = await log.openSync();
        await append(log, commitOf('c1', ['a-1'], { note: { by: 'ann' } }));
        const beside = (opened: SyncedLog) =>
          opened.write(async (transaction) => ({
            notes: await transaction.beside.get('note', ['c1', 'c0', 'c2']),
            list: await transaction.beside.list('orphan'),
            first: await transaction.beside.list('orphan', 1),
            ids: await transaction.beside.ids('orphan'),
            count: await transaction.beside.count('orphan'),
          }));
        await synced.write(async (transaction) => {
          transaction.beside.put('orphan', 'o2', { n: 2 });
          transaction.beside.put('orphan', 'o1', { n: 1 });
          transaction.beside.put('refused', 'o3', { n: 3 });
          expect(await transaction.beside.list('orphan')).toEqual([
            ['o1', { n: 1 }],
            ['o2', { n: 2 }],
          ]);
        });
        const all = {
          notes: [{ by: 'ann' }, undefined, undefined],
          list: [
            ['o1', { n: 1 }],
            ['o2', { n: 2 }],
          ],
          first: [['o1', { n: 1 }]],
          ids: ['o1', 'o2'],
          count: 2,
        };
        expect(await beside(synced)).toEqual(all);
        const abandoned = synced.write(async (transaction) => {
          transaction.beside.delete('note', 'c1');
          transaction.beside.put('orphan', 'o1', 'changed');
          expect(await transaction.beside.get('note', ['c1'])).toEqual([undefined]);
          expect(await transaction.beside.ids('note')).toEqual([]);
          throw new Error('Thought better of it.');
        });
        await expect(abandoned).rejects.toThrow('Thought better of it.');
        expect(await beside(await (await open()).openSync())).toEqual(all);
        await synced.write(async (transaction) => {
          transaction.beside.delete('note', 'c1');
          transaction.beside.delete('orphan', 'o2');
          await transaction.cutAfter(1);
        });
        expect(await beside(synced)).toMatchObject({ notes: [undefined, undefined, undefined], count: 1 });
      }),
    );

    it(
      'leaves all as it was where a rebase is given up in the middle',
      inLogs(async (log, open) => {
        const synced = await log.openSync();
        await appendAll(
          log,
          range(1, 5).map((index) => commitOf(`c${index}`, ['a-1', 'b-1'])),
        );
        const other = await open();
        const before = await readAllCommits(log);
        const told: number[] = [];
        for (const each of [log, other]) each.onRebase((fork) => told.push(fork));
        const abandoned = synced.write(async (transaction) => {
          await transaction.cutAfter(4);
          await transaction.place(toChecked(createAuthor(log.logId, 'ann').write('x1', ['a-1'])));
          await transaction.append(commitOf('c3', ['a-1', 'b-1']));
          transaction.setBase({ ...transaction.end, epoch: 'e' });
          transaction.renewClient();
          throw new Error('Thought better of it.');
        });
        await expect(abandoned).rejects.toThrow('Thought better of it.');
        expect(await log.revisions(['a-1', 'b-1'])).toEqual([4, 4]);
        expect(await readAllCommits(log)).toEqual(before);
        expect(await readAllCommits(other)).toEqual(before);
        expect(told).toEqual([]);
        expect(log.order).toEqual({ confirmed: 0, rebases: 0 });
        await append(log, commitOf('c6', ['a-1']));
        expect((await readAllCommits(other)).at(-1)).toMatchObject({ clientSeq: 6, client: before[0]?.client });
        expect(await log.verify()).toEqual({ status: 'verified', events: 11 });
      }),
    );

    it(
      'tells an opening of the lowest fork that it missed, before it gets what it reads',
      inLogs(async (log, open) => {
        await appendAll(
          log,
          range(1, 8).map((index) => commitOf(`c${index}`, ['a-1'])),
        );
        const synced = await log.openSync();
        const uses: Record<string, (opened: EventLog) => Promise<unknown>> = {
          head: (opened) => opened.head(),
          revisions: (opened) => opened.revisions(['a-1']),
          read: (opened) => readAll(opened),
          'read of a stream': (opened) => readAll(opened, { stream: 'a-1' }),
          'read backwards': (opened) => readAll(opened, { backwards: true }),
          readCommits: (opened) => readAllCommits(opened),
          write: (opened) => opened.write(async () => undefined),
          openSync: (opened) => opened.openSync(),
          loadStates: (opened) => opened.snapshots.loadStates(['a-1']),
          loadProjections: (opened) => opened.snapshots.loadProjections(),
        };
        for (const [use, run] of Object.entries(uses)) {
          const other = await open();
          const told: unknown[] = [];
          other.onRebase((fork) => told.push([fork, other.order]));
          const { rebases } = other.order;
          for (const g of [6, 3, 5]) {
            await synced.write(async (transaction) => {
              for (const { commit } of await transaction.cutAfter(g)) await transaction.place(toChecked(commit));
            });
          }
          await run(other).then(() => told.push('done'));
          expect(told, use).toEqual([[3, { confirmed: 0, rebases: rebases + 3 }], 'done']);
        }
        const late = await open();
        const told: [fork: number, isSetBack: boolean][] = [];
        late.onRebase((fork, isSetBack) => told.push([fork, isSetBack]));
        const putAnew = (g: number) => async (transaction: SyncTransaction) => {
          for (const { commit } of await transaction.cutAfter(g)) await transaction.place(toChecked(commit));
        };
        const confirmAll = async (transaction: SyncTransaction) => {
          transaction.setBase({ epoch: 'e', ...transaction.end });
        };
        await synced.write(async (transaction) => {
          await transaction.cutAfter(7);
          await confirmAll(transaction);
        });
        await append(log, commitOf('d1', ['a-1']));
        await late.head();
        expect(told.splice(0)).toEqual([[7, false]]);
        for (const _turn of range(1, 20)) await synced.write(putAnew(7));
        await late.head();
        // As low as it may have been; and what was confirmed still is.
        expect(told.splice(0)).toEqual([[0, false]]);
        await synced.write(async (transaction) => {
          await transaction.cutAfter(5);
          await confirmAll(transaction);
        });
        await append(log, commitOf('d2', ['a-1']));
        await synced.write(confirmAll);
        await append(log, commitOf('d3', ['a-1']));
        await synced.write(putAnew(6));
        // Put back meanwhile, though it is further than before.
        await late.head();
        expect(told.splice(0)).toEqual([[5, true]]);
      }),
      30_000,
    );

    it(
      'does not give pages of two orders in one read',
      inLogs(async (log, open) => {
        const streams = range(1, 3000).map((number) => `a-${number % 3}`);
        for (const index of range(1, 4)) await append(log, commitOf(`c${index}`, streams));
        await appendAll(
          log,
          range(1, 40).map((index) => commitOf(`d${index}`, ['a-1'])),
        );
        const other = await open();
        const synced = await log.openSync();
        const ann = createAuthor(log.logId, 'ann');
        const reads: ((opened: EventLog) => AsyncIterable<readonly unknown[]>)[] = [
          (opened) => opened.read({}),
          (opened) => opened.read({ backwards: true }),
          (opened) => opened.read({ stream: 'a-1' }),
          (opened) => opened.readCommits(),
        ];
        for (const read of reads) {
          await other.head();
          const { rebases } = other.order;
          const kept: unknown[][] = [];
          for await (const page of read(other)) {
            if (other.order.rebases !== rebases) break;
            kept.push([...page]);
            if (kept.length === 1) await pull(synced, [ann.write(`x${rebases}`, ['b-1'])]);
          }
          await other.head();
          expect(other.order.rebases).toBe(rebases + 1);
          expect(kept.length).toBeGreaterThan(0);
          expect((await readAll(other, { stream: 'b-1' })).length).toBe(rebases + 1);
        }
        expect(await other.verify()).toMatchObject({ status: 'verified' });
      }),
      30_000,
    );

    it(
      'keeps saved states and rows only where they fit the order',
      inLogs(async (log, open) => {
        await appendAll(
          log,
          range(1, 6).map((index) => commitOf(`c${index}`, [`a-${index % 2}`])),
        );
        const synced = await log.openSync();
        const other = await open();
        const state = (stream: string) => ({ stream, signature: 's', revision: 0, state: { stream } });
        const rows = (projection: string, upTo: number) => ({
          projection,
          signature: 's',
          upTo,
          isComplete: true,
          rows: [],
        });
        await log.snapshots.saveStates([state('a-0'), state('a-1'), state('b-1')]);
        await log.snapshots.saveProjections([rows('low', 4), rows('high', 6)]);
        await synced.write(async (transaction) => {
          const [last] = await transaction.cutAfter(5);
          await transaction.place(toChecked(createAuthor(log.logId, 'ann').write('x1', ['b-2'])));
          await transaction.append(commitOf(last?.commit.commandId ?? '', ['a-0']));
        });
        // The events of a-0 were cut, those of the others were not.
        await other.snapshots.saveStates([state('a-0'), state('c-1')]);
        expect(await log.snapshots.loadStates(['a-0', 'a-1', 'b-1', 'c-1'])).toEqual([
          undefined,
          state('a-1'),
          state('b-1'),
          undefined,
        ]);
        expect((await log.snapshots.loadProjections()).map(({ projection }) => projection)).toEqual(['low']);
        await other.snapshots.saveStates([state('a-0')]);
        expect(await log.snapshots.loadStates(['a-0'])).toEqual([state('a-0')]);
      }),
    );

    it(
      'saves no rows of an order that is no more',
      inLogs(async (log, open) => {
        await appendAll(
          log,
          range(1, 3).map((index) => commitOf(`c${index}`, ['a-1'])),
        );
        const synced = await log.openSync();
        const other = await open();
        await synced.write(async (transaction) => {
          await transaction.cutAfter(2);
          await transaction.append(commitOf('d1', ['b-1']));
        });
        const rows = { projection: 'p', signature: 's', upTo: 3, isComplete: true, rows: [] };
        // A commit ends there, but not the one that the rows were made up to.
        expect(await other.snapshots.saveProjections([rows])).toBe(false);
        expect(await log.snapshots.loadProjections()).toEqual([]);
        expect(await other.snapshots.saveProjections([rows])).toBe(true);
        expect(await log.snapshots.loadProjections()).toEqual([rows]);
      }),
    );

    it(
      'does not count a transaction that cuts only what it has appended itself',
      inLogs(async (log) => {
        await append(log, commitOf('c1', ['a-1']));
        const synced = await log.openSync();
        const cut = await synced.write(async (transaction) => {
          await transaction.append(commitOf('c2', ['a-1', 'b-1']));
          await transaction.append(commitOf('c3', ['a-1']));
          return [
            (await transaction.cutAfter(3)).map(({ commit }) => commit.commandId),
            (await transaction.cutAfter(1)).map(({ commit }) => commit.commandId),
            await transaction.cutAfter(1),
            await transaction.revisions(['a-1', 'b-1']),
          ];
        });
        expect(cut).toEqual([['c3'], ['c2'], [], [0, -1]]);
        expect(log.order.rebases).toBe(0);
        await append(log, commitOf('c2', ['b-1']));
        expect((await readAllCommits(log)).map(({ clientSeq }) => clientSeq)).toEqual([1, 2]);
        expect(await log.verify()).toEqual({ status: 'verified', events: 2 });
      }),
    );

    it(
      'gives no calls to who has stopped listening, or has closed',
      inLogs(async (log, open) => {
        await append(log, commitOf('c1', ['a-1']));
        const synced = await log.openSync();
        const closed = await open();
        const told: string[] = [];
        closed.onRebase(() => told.push('closed'));
        log.onRebase(() => told.push('stopped'))();
        closed.close();
        await synced.write((transaction) => transaction.cutAfter(0));
        await pause(20);
        expect(told).toEqual([]);
        expect(await failureOf((await (await open()).openSync()).write(async ({ head }) => head))).toBe('it resolved');
      }),
    );
  });
}

/** Somebody else, who writes commits one after the other. */
export interface Author {
  write(commandId: string, streams: readonly string[]): SyncCommit;
}

export function createAuthor(logId: string, client: string): Author {
  let clientSeq = 0;
  let prev = noHash;
  return {
    write: (commandId, streams) => {
      clientSeq += 1;
      const { correlationId, recordedAt, events } = commitOf(commandId, streams);
      const commit = { logId, commandId, correlationId, recordedAt, client, clientSeq, prev, events };
      prev = toCanonicalCommit(commit).digest;
      return commit;
    },
  };
}

export function toChecked(commit: SyncCommit): CheckedCommit {
  return checkCommit(commit, commit.logId);
}

/** What sync does with a page: takes out what is pending, places the page, and appends again what was taken out. */
export async function pull(synced: SyncedLog, page: readonly SyncCommit[]): Promise<void> {
  await synced.write(async (transaction) => {
    const pending = await transaction.cutAfter(transaction.base.g);
    for (const commit of page) await transaction.place(toChecked(commit));
    transaction.setBase({ ...transaction.end, epoch: 'e' });
    for (const { commit } of pending) await transaction.append(commit);
  });
}

/** Both chains, computed anew: every commit of a log, from the first one on. */
export function expectLinked(logId: string, commits: readonly OrderedCommit[]): void {
  let { order } = chainStart;
  let position = 0;
  for (const { g, oh, digest, commit, events } of commits) {
    position += commit.events.length;
    order = orderHash(order, hexToBytes(digest), position);
    expect({ g, oh, digest }).toEqual({ g: position, oh: bytesToHex(order), digest: toCanonicalCommit(commit).digest });
    expect(commit.logId).toBe(logId);
    expect(events.map(toText)).toEqual(commit.events.map(toText));
    expect(positionsOf(events)).toEqual(range(position - events.length + 1, position));
  }
}

function toText({
  stream,
  type,
  version,
  data,
  tags,
}: Pick<RecordedEvent, 'stream' | 'type' | 'version' | 'data' | 'tags'>) {
  return JSON.stringify([stream, type, version, data, tags]);
}
