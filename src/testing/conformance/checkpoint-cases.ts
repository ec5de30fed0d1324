import type { CheckpointStore, Instance } from '../../log/checkpoint-store.ts';
import { assertEqual, assertRejects } from '../assert.ts';
import type { ConformanceCases } from './conformance-case.ts';
import { append } from './log-access.ts';
import { commitOf } from './sample-commits.ts';

/** What follows the log with effects finds again how far it came. */
export const checkpointCases: ConformanceCases = {
  'keeps how far each consumer has come, also when opened again': async ({ log, open }) => {
    const store = await log.openCheckpoints();
    assertEqual(await store.load('mail'), undefined, 'the checkpoint of a consumer that never saved');
    await save(store, 'mail', 1, 7);
    await save(store, 'mail', 2, 9);
    await save(store, 'payment', 1, 3);
    const again = await (await open()).openCheckpoints();
    assertEqual(await again.load('mail'), { position: 9, turn: 2 });
    assertEqual(await again.load('payment'), { position: 3, turn: 1 });
  },

  'keeps checkpoints where snapshots are cleared and events appended': async ({ log }) => {
    const store = await log.openCheckpoints();
    await save(store, 'payment', 1, 0, [instance('a', { later: 5 })]);
    await append(log, commitOf('c1', ['a-1']));
    await log.snapshots.clear();
    assertEqual(await store.load('payment'), { position: 0, turn: 1 });
    assertEqual(await store.nextDeadline('payment'), { key: 'a', name: 'later', at: 5 });
  },

  'refuses a save that another was faster than, with all that belongs to it': async ({ log, open }) => {
    const stores = [await log.openCheckpoints(), await (await open()).openCheckpoints()] as const;
    const saved = await Promise.all(
      stores.map((store, index) =>
        store.save('payment', { turn: 1, position: index, instances: [instance(`i${index}`, { [`d${index}`]: 1 })] }),
      ),
    );
    assertEqual([...saved].sort(), [false, true], 'two saves of the same turn');
    const winner = saved.indexOf(true);
    for (const store of stores) {
      assertEqual(await store.load('payment'), { position: winner, turn: 1 });
      assertEqual(await keysOf(store, 'payment', ['i0', 'i1']), [`i${winner}`]);
      assertEqual(await store.nextDeadline('payment'), { key: `i${winner}`, name: `d${winner}`, at: 1 });
      assertEqual(await store.save('payment', { turn: 3, position: 9 }), false, 'a save that leaves a turn out');
    }
    await save(stores[0], 'payment', 2, 5);
  },

  'gives back instances as they were saved, in the order asked': async ({ log }) => {
    const store = await log.openCheckpoints();
    const given = { ...instance('b', { late: 20, soon: 10 }), state: { nested: [{ price: 1.5, name: 'č' }] } };
    const copy = structuredClone(given);
    await save(store, 'payment', 1, 1, [instance('a'), given]);
    (given.state.nested as unknown[]).push('changed');
    const found = await loadInstances(store, 'payment', ['b', 'none', 'a']);
    assertEqual(found, [copy, undefined, instance('a')]);
    Object.assign(Object(found[0]?.state), { nested: 'changed' });
    assertEqual(await loadInstances(store, 'payment', ['b']), [copy], 'what was changed after it was loaded');
    assertEqual(await loadInstances(store, 'mail', ['b']), [undefined], 'the instance of another consumer');
  },

  'gives instances with the turn that they are of': async ({ log, open }) => {
    const store = await log.openCheckpoints();
    const other = await (await open()).openCheckpoints();
    assertEqual(await other.loadInstances('payment', ['a']), { turn: 0, instances: [undefined] });
    for (const turn of [1, 2, 3]) {
      const saving = save(store, 'payment', turn, turn, [{ ...instance('a'), state: turn }]);
      // Before the save or after it, and never of two turns.
      const { turn: seen, instances } = await other.loadInstances('payment', ['a']);
      assertEqual(instances[0]?.state ?? 0, seen, 'the state at the turn that was told');
      await saving;
      assertEqual((await other.loadInstances('payment', [])).turn, turn);
    }
  },

  'forgets an instance that ended': async ({ log }) => {
    const store = await log.openCheckpoints();
    await save(store, 'payment', 1, 1, [instance('a', { later: 5 }), instance('b', { later: 6 })]);
    await save(store, 'payment', 2, 2, [{ key: 'a', deadlines: {} }]);
    assertEqual(await keysOf(store, 'payment', ['a', 'b']), ['b']);
    assertEqual(await store.nextDeadline('payment'), { key: 'b', name: 'later', at: 6 });
  },

  'names the deadline that is due first, of all instances of a consumer': async ({ log }) => {
    const store = await log.openCheckpoints();
    assertEqual(await store.nextDeadline('payment'), undefined);
    await save(store, 'mail', 1, 1, [instance('z', { other: 1 })]);
    await save(store, 'payment', 1, 1, [
      instance('a', { later: 1_000, never: 9e15 }),
      instance('c', { early: 999 }),
      instance('b', { early: 999, again: 999 }),
      instance('d', { before: -5 }),
    ]);
    const due: unknown[] = [];
    for (let turn = 2; ; turn += 1) {
      const next = await store.nextDeadline('payment');
      if (next === undefined) break;
      due.push([next.at, next.key, next.name]);
      const [found] = await loadInstances(store, 'payment', [next.key]);
      const { [next.name]: _due, ...deadlines } = found?.deadlines ?? {};
      await save(store, 'payment', turn, 1, [{ key: next.key, state: 0, deadlines }]);
    }
    assertEqual(due, [
      [-5, 'd', 'before'],
      [999, 'b', 'again'],
      [999, 'b', 'early'],
      [999, 'c', 'early'],
      [1_000, 'a', 'later'],
      [9e15, 'a', 'never'],
    ]);
    assertEqual((await store.nextDeadline('mail'))?.key, 'z');
  },

  'forgets a deadline that was moved or cancelled': async ({ log }) => {
    const store = await log.openCheckpoints();
    await save(store, 'payment', 1, 1, [instance('a', { moved: 5, cancelled: 6 })]);
    await save(store, 'payment', 2, 2, [instance('a', { moved: 50 })]);
    assertEqual(await store.nextDeadline('payment'), { key: 'a', name: 'moved', at: 50 });
    await save(store, 'payment', 3, 3, [instance('a')]);
    assertEqual(await store.nextDeadline('payment'), undefined);
  },

  'gives no checkpoints and takes none once it is closed': async ({ log, open }) => {
    const other = await open();
    const store = await log.openCheckpoints();
    await save(store, 'mail', 1, 1);
    log.close();
    await assertRejects(store.load('mail'));
    await assertRejects(store.save('mail', { turn: 2, position: 2 }));
    await assertRejects(store.loadInstances('mail', ['a']));
    await assertRejects(store.nextDeadline('mail'));
    await save(await other.openCheckpoints(), 'mail', 2, 2);
  },
};

function instance(key: string, times: Readonly<Record<string, number>> = {}): Instance {
  const deadlines = Object.entries(times).map(([name, at]) => [name, { at, causationId: 'c', correlationId: 'r' }]);
  return { key, state: { of: key }, deadlines: Object.fromEntries(deadlines) };
}

async function save(
  store: CheckpointStore,
  consumer: string,
  turn: number,
  position: number,
  instances: readonly Instance[] = [],
): Promise<void> {
  assertEqual(await store.save(consumer, { turn, position, instances }), true, `save ${turn} of "${consumer}"`);
}

async function loadInstances(
  store: CheckpointStore,
  consumer: string,
  keys: readonly string[],
): Promise<readonly (Instance | undefined)[]> {
  return (await store.loadInstances(consumer, keys)).instances;
}

async function keysOf(store: CheckpointStore, consumer: string, keys: readonly string[]): Promise<readonly string[]> {
  const found = await loadInstances(store, consumer, keys);
  return keys.filter((_key, index) => found[index] !== undefined);
}
