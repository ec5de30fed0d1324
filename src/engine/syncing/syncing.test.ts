import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Client, createClient } from '../../client/client.ts';
import { defineAggregate } from '../../core/aggregate.ts';
import { defineApp } from '../../core/app.ts';
import { FailureError } from '../../core/errors.ts';
import { defineEvents, type RecordedEvent } from '../../core/events.ts';
import { defineProjection } from '../../core/projection.ts';
import { defineReactor, type Reactor } from '../../core/reactor.ts';
import { reject } from '../../core/rejection.ts';
import { shape } from '../../core/schema.ts';
import { versions } from '../../core/versions.ts';
import { createMemoryEventLog, type MemoryEventLog } from '../../log/memory-event-log.ts';
import { toChecked } from '../../log/synced-log.contract.ts';
import type { SyncedLog } from '../../log/synced-log.ts';
import type { Sync, SyncHost } from '../../protocol/sync-host.ts';
import { allowAll } from '../../server/policy.ts';
import { Account, Balances, BankEvents, bankApp, Meter, Meters, takeSeat } from '../../testing/fixtures/bank-app.ts';
import { createWorld } from '../../testing/fixtures/sync-world.ts';
import { createInProcessWorker } from '../../testing/in-process-worker.ts';
import { createFold } from '../projecting/fold.ts';

const rowsOf = (mirror: { readonly rows: ReadonlyMap<string, unknown> }) => Object.fromEntries(mirror.rows);

function bankWith(reactor: Reactor) {
  const definitions = { aggregates: [Account, Meter], decisions: [takeSeat], projections: [Balances, Meters] };
  return defineApp({ name: 'bank', ...definitions, reactors: [reactor] });
}

/** A log as an import leaves it: whole, under a client of its own, and with nothing that a server has confirmed. */
async function importFrom(log: MemoryEventLog): Promise<MemoryEventLog> {
  const commits = await (await log.openSync()).write((transaction) => transaction.readAfter(0));
  const imported = createMemoryEventLog({ logId: log.logId, client: crypto.randomUUID() });
  await (await imported.openSync()).write(async (transaction) => {
    for (const { commit } of commits) await transaction.place(toChecked(commit));
  });
  return imported;
}

/** A shelf whose second version also asks for how long something is lent: a new key, and no new version of the event. */
function createShelf(version: 1 | 2) {
  const events = defineEvents({ Lent: shape<{ to: string; days?: number }>(), GivenBack: shape<object>() });
  const decideLend = ({ to, days }: { to: string; days?: number }) =>
    events.Lent(version === 1 || days === undefined ? { to } : { to, days });
  const Shelf = defineAggregate('shelf', {
    events,
    initialState: () => ({}),
    evolve: { Lent: (state) => state, GivenBack: (state) => state },
    commands: {
      lend: { input: shape<{ to: string; days?: number }>(), decide: decideLend },
      ...(version === 1 ? {} : { giveBack: { input: shape<object>(), decide: () => events.GivenBack({}) } }),
    },
  });
  return { Shelf, app: defineApp({ name: 'shelf', version, aggregates: [Shelf], projections: [] }) };
}

/** The bank as a later version of the app has it: deposits are counted in cents. */
function createNewerBank() {
  const cents = versions(shape<{ amount: number }>()).to(shape<{ cents: number }>(), ({ amount }) => ({
    cents: amount * 100,
  }));
  const events = defineEvents({ Deposited: cents, Withdrawn: shape<{ amount: number; slip: string }>() });
  const Account = defineAggregate('account', {
    events,
    initialState: () => ({ cents: 0 }),
    evolve: {
      Deposited: (state, { data }) => ({ cents: state.cents + data.cents }),
      Withdrawn: (state, { data }) => ({ cents: state.cents - data.amount * 100 }),
    },
    commands: {
      deposit: {
        input: shape<{ amount: number }>(),
        decide: ({ amount }) => events.Deposited({ cents: amount * 100 }),
      },
      withdraw: {
        input: shape<{ amount: number }>(),
        decide: ({ amount }, state, { newId }) =>
          amount * 100 > state.cents ? reject('insufficient-funds') : events.Withdrawn({ amount, slip: newId() }),
      },
    },
  });
  const Balances = defineProjection('balances', {
    version: 2,
    from: [events],
    row: shape<{ cents: number }>(),
    on: {
      Deposited: (row, { data }) => ({ cents: (row?.cents ?? 0) + data.cents }),
      Withdrawn: (row, { data }) => ({ cents: (row?.cents ?? 0) - data.amount * 100 }),
    },
  });
  const app = defineApp({ name: 'bank', aggregates: [Account], projections: [Balances] });
  return { app, Account, Balances };
}

describe('sync', () => {
  it('pushes what was saved off line, and gives it to another device', async () => {
    const world = createWorld();
    const [one, two] = [world.createDevice(), world.createDevice()];
    await one.deposit('ada', 5);
    await one.withdraw('ada', 2);
    expect(one.client.status.getState().sync).toMatchObject({ confirmed: 0 });
    await one.sync();
    await two.sync();
    await expect.poll(() => rowsOf(two.balances)).toEqual({ ada: { balance: 3 } });
    expect(rowsOf(one.balances)).toEqual({ ada: { balance: 3 } });
    expect(await world.ids()).toEqual(['d1-1', 'd1-2']);
  });

  it('decides again what others have made impossible, and tells who made it', async () => {
    const world = createWorld();
    const [one, two] = [world.createDevice(), world.createDevice()];
    await one.deposit('ada', 5);
    await one.sync();
    await two.sync();
    one.goOffline();
    two.goOffline();
    const first = await one.withdraw('ada', 4);
    const second = await two.withdraw('ada', 3);
    expect([first.status, second.status]).toEqual(['saved', 'saved']);
    await one.sync();
    await two.sync();
    await expect.poll(() => rowsOf(two.balances)).toEqual({ ada: { balance: 1 } });
    await expect.poll(() => rowsOf(one.balances)).toEqual({ ada: { balance: 1 } });
    expect(await one.client.receipts.find(first.commandId)).toMatchObject({ status: 'confirmed' });
    await expect
      .poll(() => two.client.receipts.find(second.commandId))
      .toMatchObject({
        status: 'refused',
        reason: { code: 'insufficient-funds' },
        rejection: { details: { balance: 1 } },
      });
    expect(await two.client.readRefused()).toMatchObject([
      {
        commandId: second.commandId,
        commit: { events: [{ type: 'Withdrawn' }] },
        request: { commands: [{ name: 'withdraw' }] },
      },
    ]);
    await two.client.dropRefused([second.commandId]);
    expect(await two.client.readRefused()).toEqual([]);
  });

  it('keeps the very same commit where the decision comes to the same', async () => {
    const world = createWorld();
    const [one, two] = [world.createDevice(), world.createDevice()];
    await one.deposit('ada', 10);
    await one.sync();
    await two.sync();
    two.goOffline();
    await two.withdraw('ada', 3);
    const before = [];
    for await (const event of two.client.read({ types: ['Withdrawn'] })) before.push(event);
    await one.deposit('ada', 1);
    await one.sync();
    await two.sync();
    const after = [];
    for await (const event of two.client.read({ types: ['Withdrawn'] })) after.push(event);
    expect(after.map(({ id, data }) => ({ id, data }))).toEqual(before.map(({ id, data }) => ({ id, data })));
    await expect.poll(() => rowsOf(two.balances)).toEqual({ ada: { balance: 8 } });
  });

  it('replaces what comes to something else, and withdraws what has nothing left to do', async () => {
    const world = createWorld();
    const [one, two] = [world.createDevice(), world.createDevice()];
    await one.deposit('ada', 10);
    await one.deposit('ben', 10);
    await one.sync();
    await two.sync();
    two.goOffline();
    await two.client.execute(Account, 'ada', 'empty', {});
    const nothing = await two.client.execute(Account, 'ben', 'empty', {});
    await one.withdraw('ada', 4);
    await one.withdraw('ben', 10);
    await one.sync();
    await two.sync();
    await expect.poll(() => rowsOf(two.balances)).toEqual({ ada: { balance: 0 }, ben: { balance: 0 } });
    await expect
      .poll(() => two.client.receipts.find(nothing.commandId))
      .toMatchObject({ status: 'refused', reason: { code: 'NOTHING_LEFT' } });
  });

  it('decides again what was decided on what was withdrawn', async () => {
    const world = createWorld();
    const [one, two] = [world.createDevice(), world.createDevice()];
    await one.deposit('ada', 10);
    await one.sync();
    await two.sync();
    two.goOffline();
    await two.withdraw('ada', 10);
    const closing = await two.client.execute(Account, 'ada', 'close', {});
    await two.deposit('ben', 1);
    await one.withdraw('ada', 1);
    await one.sync();
    await two.sync();
    await expect.poll(() => rowsOf(two.balances)).toEqual({ ada: { balance: 9 }, ben: { balance: 1 } });
    await expect
      .poll(() => two.client.receipts.find(closing.commandId))
      .toMatchObject({ status: 'refused', reason: { code: 'not-empty' } });
  });

  it('withdraws what throws when it is decided again, whatever it throws', async () => {
    const Events = defineEvents({ Named: shape<{ name: string }>() });
    const Label = defineAggregate('label', {
      events: Events,
      initialState: () => ({ name: '' }),
      evolve: { Named: (_state, { data }) => ({ name: data.name }) },
      commands: {
        rename: {
          input: shape<{ name: string }>(),
          // Of "ž" there is none: what `btoa` throws then is what IndexedDB throws where the storage fails.
          decide: ({ name }, state) => (btoa(state.name) === name ? [] : Events.Named({ name })),
        },
      },
    });
    const world = createWorld({ app: defineApp({ name: 'labels', aggregates: [Label], projections: [] }) });
    const [one, two] = [world.createDevice(), world.createDevice()];
    await one.client.execute(Label, 'a', 'rename', { name: 'ž' });
    const renaming = await two.client.execute(Label, 'a', 'rename', { name: 'b' });
    await one.sync();
    await two.sync();
    expect(await two.client.receipts.find(renaming.commandId)).toMatchObject({
      status: 'refused',
      reason: { code: 'DECIDE_FAILED' },
    });
  });

  it('lets stand what happened in the field', async () => {
    const world = createWorld();
    const [one, two] = [world.createDevice(), world.createDevice()];
    await one.client.execute(Meter, 'gas', 'read', { value: 20 });
    await two.client.execute(Meter, 'gas', 'read', { value: 10 });
    await one.sync();
    await two.sync();
    await one.sync();
    await expect.poll(() => rowsOf(one.meters)).toEqual({ gas: { values: [20, 10] } });
    expect(rowsOf(two.meters)).toEqual({ gas: { values: [20, 10] } });
  });

  it('holds a rule across streams over devices', async () => {
    const world = createWorld();
    const devices = [world.createDevice(), world.createDevice(), world.createDevice()];
    for (const [index, { client }] of devices.entries()) {
      await client.execute(takeSeat, { hall: 'a', seat: `s${index}`, by: 'me' });
    }
    for (const device of devices) await device.sync();
    const [third] = devices.slice(-1);
    expect((await third?.client.readRefused())?.map(({ reason }) => reason.code)).toEqual(['hall-full']);
    expect(await world.ids()).toEqual(['d1-1', 'd2-1']);
  });

  it('withdraws what the server will never take, and goes on with the rest', async () => {
    const world = createWorld({
      policy: {
        ...allowAll,
        commit: (_actor, { events }) =>
          events.some(({ stream }) => stream === 'account-evil') ? { deny: 'NO_EVIL' } : 'allow',
      },
    });
    const one = world.createDevice();
    await one.deposit('ada', 1);
    const evil = await one.deposit('evil', 1);
    await one.withdraw('evil', 1);
    await one.deposit('ada', 2);
    await one.sync();
    expect(rowsOf(one.balances)).toEqual({ ada: { balance: 3 } });
    expect(await one.client.receipts.find(evil.commandId)).toMatchObject({
      status: 'refused',
      reason: { code: 'NO_EVIL' },
    });
    expect(await world.ids()).toEqual(['d1-1', 'd1-4']);
  });

  it('takes back in windows of queries what was withdrawn, also where nothing came in its place', async () => {
    const world = createWorld({ policy: { ...allowAll, commit: () => ({ deny: 'NEVER' }) } });
    const one = world.createDevice();
    const window = one.client.query(Balances, { orderBy: ['balance', 'desc'], limit: 5 });
    await window.ready;
    await one.deposit('ada', 1);
    await one.deposit('ben', 2);
    await expect.poll(() => window.rows.map(({ key }) => key)).toEqual(['ben', 'ada']);
    await one.sync();
    await expect.poll(() => window.rows).toEqual([]);
    expect(rowsOf(one.balances)).toEqual({});
    expect(one.client.status.getState().saved).toBe(0);
  });

  it('shows each receipt move on', async () => {
    const world = createWorld();
    const one = world.createDevice();
    const receipt = await one.deposit('ada', 1);
    const seen: unknown[] = [];
    one.client.receipts.subscribe(receipt.commandId, () =>
      seen.push(one.client.receipts.get(receipt.commandId)?.status),
    );
    await one.sync();
    await expect.poll(() => seen.at(-1)).toBe('confirmed');
  });

  it('sees in another tab, once that is looked at, that what was withdrawn is dealt with', async () => {
    const world = createWorld({ policy: { ...allowAll, commit: () => ({ deny: 'NO' }) } });
    const one = world.createDevice();
    const refusedIn = ({ status }: Client) => status.getState().sync?.refused;
    const { commandId } = await one.deposit('ada', 1);
    one.goOnline();
    await expect.poll(() => refusedIn(one.client)).toBe(1);
    const sync = { start: () => ({ wake: () => undefined, stop: async () => undefined }) };
    const tab = createClient(bankApp, () => createInProcessWorker({ app: bankApp, log: one.log.open(), sync }));
    onTestFinished(() => tab.close());
    await tab.mirror(Balances).ready;
    expect(refusedIn(tab)).toBe(1);
    await one.client.dropRefused([commandId]);
    tab.syncNow();
    await expect.poll(() => refusedIn(tab)).toBe(0);
  });

  it('brings tabs of one log to the same rows', async () => {
    const world = createWorld();
    const one = world.createDevice();
    const tab = world.createDevice(one.log.open());
    const two = world.createDevice();
    await two.deposit('ada', 5);
    await two.sync();
    await one.deposit('ada', 1);
    await tab.deposit('ben', 2);
    await one.sync();
    await expect.poll(() => rowsOf(one.balances)).toEqual({ ada: { balance: 6 }, ben: { balance: 2 } });
    await expect.poll(() => rowsOf(tab.balances)).toEqual({ ada: { balance: 6 }, ben: { balance: 2 } });
    await tab.withdraw('ada', 6);
    await expect.poll(() => rowsOf(one.balances)).toEqual({ ada: { balance: 0 }, ben: { balance: 2 } });
  });

  it('gives a restored server back what it had lost, of everybody', async () => {
    const world = createWorld();
    const [one, two] = [world.createDevice(), world.createDevice()];
    await one.deposit('ada', 5);
    await one.sync();
    const restore = await world.backUp();
    await one.deposit('ada', 10);
    await one.sync();
    await two.deposit('ben', 1);
    await two.sync();
    await two.withdraw('ada', 12);
    await two.sync();
    two.goOffline();
    // Decided on what the server is about to lose.
    const last = await two.withdraw('ada', 3);
    one.goOffline();
    await restore();
    await two.sync();
    await one.sync();
    await two.sync();
    const all = { ada: { balance: 0 }, ben: { balance: 1 } };
    await expect.poll(() => rowsOf(two.balances)).toEqual(all);
    await expect.poll(() => rowsOf(one.balances)).toEqual(all);
    expect(await two.client.receipts.find(last.commandId)).toMatchObject({ status: 'confirmed' });
    expect((await world.ids()).toSorted()).toEqual(['d1-1', 'd1-2', 'd2-1', 'd2-2', 'd2-3']);
  });

  it('tells reactors of what is confirmed only, and again of what a restored server has put elsewhere', async () => {
    const mailed: string[] = [];
    const Mail = defineReactor('mail', {
      from: [BankEvents],
      startAt: 'beginning',
      on: { Deposited: async (event) => void mailed.push(event.id) },
    });
    const app = bankWith(Mail);
    const world = createWorld({ app });
    const one = world.createDevice();
    const restore = await world.backUp();
    await one.deposit('ada', 1);
    await one.client.execute(Meter, 'gas', 'read', { value: 1 });
    expect(mailed).toEqual([]);
    await one.sync();
    await expect.poll(() => mailed).toEqual(['d1-1.0']);
    await restore();
    await one.sync();
    await expect.poll(() => mailed).toEqual(['d1-1.0', 'd1-1.0']);
  });

  it('tells a reactor that was busy while a server was put back of what is placed then', async () => {
    const mailed: string[] = [];
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const Mail = defineReactor('mail', {
      from: [BankEvents],
      startAt: 'beginning',
      on: {
        Deposited: async (event) => {
          mailed.push(event.id);
          if (mailed.length === 1) await released;
        },
      },
    });
    const app = bankWith(Mail);
    const world = createWorld();
    const [one, two] = [world.createDevice(undefined, app), world.createDevice()];
    const restore = await world.backUp();
    for (const amount of [1, 2, 3]) await one.deposit('ada', amount);
    await one.sync();
    // The first mail is on its way, and the page behind it is read.
    await expect.poll(() => mailed).toEqual(['d1-1.0']);
    await restore();
    await two.deposit('ben', 8);
    await two.sync();
    await one.sync();
    expect(await world.ids()).toEqual(['d2-1', 'd1-1', 'd1-2', 'd1-3']);
    release();
    await expect.poll(() => mailed).toContain('d2-1.0');
    // Twice at most, and each of them.
    await expect.poll(() => new Set(mailed).size).toBe(4);
  });

  it('sets back a reactor also where another tab saves at that moment how far it came', async () => {
    const Mail = defineReactor('mail', {
      from: [BankEvents],
      startAt: 'beginning',
      // In this tab it is busy with the second from then on.
      on: { Deposited: async ({ id }) => (id === 'd1-2.0' ? new Promise<void>(() => undefined) : undefined) },
    });
    const app = bankWith(Mail);
    const log = createMemoryEventLog({ logId: 'log-1', client: 'd1' });
    const store = await log.openCheckpoints();
    const saveElsewhere = async (position: number) => {
      const { turn } = (await store.load('mail')) ?? { turn: 0 };
      expect(await store.save('mail', { position, turn: turn + 1 })).toBe(true);
    };
    let isRacing = false;
    const load: typeof store.load = async (name) => {
      if (!isRacing || log.order.confirmed !== 0) return store.load(name);
      isRacing = false;
      await saveElsewhere(2);
      const found = await store.load(name);
      await saveElsewhere(3);
      return found;
    };
    const world = createWorld();
    const one = world.createDevice(
      Object.create(log, { openCheckpoints: { value: async () => ({ ...store, load }) } }),
      app,
    );
    const restore = await world.backUp();
    for (const amount of [1, 2, 3]) await one.deposit('ada', amount);
    await one.sync();
    await expect.poll(() => store.load('mail')).toMatchObject({ position: 1 });
    await restore();
    isRacing = true;
    await one.sync();
    expect(isRacing).toBe(false);
    expect(await store.load('mail')).toMatchObject({ position: 0 });
  });

  it('writes under a new name where the profile was copied', async () => {
    const world = createWorld();
    const log = createMemoryEventLog({ logId: 'log-1', client: 'same' });
    const copy = createMemoryEventLog({ logId: 'log-1', client: 'same' });
    const [one, two] = [world.createDevice(log), world.createDevice(copy)];
    await one.deposit('ada', 1);
    await one.deposit('ada', 2);
    await two.deposit('ben', 4);
    await one.sync();
    await two.sync();
    await one.deposit('ada', 8);
    await one.sync();
    await two.sync();
    const all = { ada: { balance: 11 }, ben: { balance: 4 } };
    await expect.poll(() => rowsOf(one.balances)).toEqual(all);
    await expect.poll(() => rowsOf(two.balances)).toEqual(all);
  });

  it('sends a history that was imported and no server has, while its author goes on', async () => {
    const world = createWorld();
    const author = world.createDevice();
    for (let amount = 1; amount <= 300; amount += 1) await author.deposit('ada', amount);
    const importer = world.createDevice(await importFrom(author.log));
    await importer.deposit('ben', 1);
    await author.deposit('ada', 1000);
    expect(importer.client.status.getState().sync).toMatchObject({ confirmed: 0 });
    importer.client.syncNow();
    await expect.poll(() => importer.client.status.getState().sync?.pending).toBe(301);
    await importer.sync();
    expect(await importer.client.readRefused()).toEqual([]);
    await author.sync();
    await importer.sync();
    const all = { ada: { balance: (300 * 301) / 2 + 1000 }, ben: { balance: 1 } };
    await expect.poll(() => rowsOf(author.balances)).toEqual(all);
    await expect.poll(() => rowsOf(importer.balances)).toEqual(all);
    expect(await world.ids()).toHaveLength(302);
  });

  it('sends what was imported also where others have written in between, or the author was quicker', async () => {
    const world = createWorld();
    const [author, other] = [world.createDevice(), world.createDevice()];
    for (const amount of [1, 2, 4]) await author.deposit('ada', amount);
    const importer = world.createDevice(await importFrom(author.log));
    const second = world.createDevice(await importFrom(author.log));
    await importer.deposit('ada', 8);
    await other.deposit('ben', 16);
    await other.sync();
    await importer.sync();
    await author.deposit('ada', 32);
    await author.sync();
    await second.sync();
    for (const { client, balances } of [author, other, importer, second]) {
      client.syncNow();
      await expect.poll(() => rowsOf(balances)).toEqual({ ada: { balance: 47 }, ben: { balance: 16 } });
      expect(await client.readRefused()).toEqual([]);
    }
    expect(await world.ids()).toHaveLength(6);
  });

  it('never pushes what one user saved with the token of another', async () => {
    const world = createWorld();
    const one = world.createDevice();
    await one.deposit('ada', 1);
    one.signIn('ben');
    await one.deposit('ben', 2);
    one.goOnline();
    await expect
      .poll(() => one.client.status.getState().sync)
      .toMatchObject({ phase: 'paused', pending: 2, problem: { code: 'OTHER_PRINCIPAL' } });
    expect(await world.ids()).toEqual([]);
    one.signIn('ada');
    one.client.syncNow();
    await expect.poll(world.ids).toEqual(['d1-1']);
    one.signIn('ben');
    await one.sync();
    expect(await world.ids()).toEqual(['d1-1', 'd1-2']);
  });

  it('sends the rest where a command waits for a newer version of the app, which then decides it', async () => {
    const newer = createNewerBank();
    const world = createWorld();
    const one = world.createDevice();
    const two = world.createDevice(undefined, newer.app);
    await one.deposit('ada', 5);
    await one.sync();
    await two.sync();
    one.goOffline();
    const { commandId } = await one.withdraw('ada', 3);
    await one.withdraw('ada', 1);
    await one.deposit('ben', 2);
    await two.client.execute(newer.Account, 'ada', 'deposit', { amount: 10 });
    await two.sync();
    one.goOnline();
    const waits = { phase: 'paused', pending: 2, refused: 0, problem: { code: 'UPGRADE_REQUIRED' } };
    await expect.poll(() => one.client.status.getState().sync).toMatchObject(waits);
    expect(await world.ids()).toEqual(['d1-1', 'd2-1', 'd1-4']);
    expect(await one.client.receipts.find(commandId)).toMatchObject({ status: 'saved' });
    // What is saved behind it does not wait either.
    await one.deposit('ben', 2);
    await expect.poll(world.ids).toEqual(['d1-1', 'd2-1', 'd1-4', 'd1-5']);
    await expect.poll(() => one.client.status.getState().sync).toMatchObject(waits);
    await one.client.close();
    const updated = world.createDevice(one.log.open(), newer.app);
    await updated.sync();
    expect((await world.ids()).slice(4)).toHaveLength(2);
    expect(await updated.client.receipts.find(commandId)).toMatchObject({ status: 'confirmed' });
    const balances = updated.client.mirror(newer.Balances);
    await expect.poll(() => rowsOf(balances)).toEqual({ ada: { cents: 1_100 }, ben: { cents: 400 } });
  });

  it('leaves what a newer build saved to that build: this one makes less of what it was given', async () => {
    const [old, newer] = [createShelf(1), createShelf(2)];
    const world = createWorld();
    const other = world.createDevice(undefined, old.app);
    const tab = world.createDevice(undefined, old.app);
    const newTab = world.createDevice(tab.log.open(), newer.app);
    const lend = { to: 'ada', days: 7 };
    const { commandId } = await newTab.client.execute(newer.Shelf, 'a', 'lend', lend);
    await newTab.client.execute(newer.Shelf, 'a', 'giveBack', {});
    await other.client.execute(old.Shelf, 'a', 'lend', { to: 'ben' });
    await other.sync();
    tab.goOnline();
    const waits = { phase: 'paused', pending: 2, refused: 0, problem: { code: 'UPGRADE_REQUIRED' } };
    await expect.poll(() => tab.client.status.getState().sync).toMatchObject(waits);
    expect(await world.ids()).toHaveLength(1);
    await newTab.sync();
    await tab.sync();
    expect(await newTab.client.receipts.find(commandId)).toMatchObject({ status: 'confirmed' });
    const events: unknown[] = [];
    for await (const { type, data } of tab.client.read({})) events.push([type, data]);
    expect(events).toEqual([
      ['Lent', { to: 'ben' }],
      ['Lent', lend],
      ['GivenBack', {}],
    ]);
  });

  it('follows confirmed events in order, each once, while what is pending moves', async () => {
    const world = createWorld();
    const [one, two] = [world.createDevice(), world.createDevice()];
    const seen: string[] = [];
    const stopping = new AbortController();
    const followed = (async () => {
      for await (const { id } of two.client.subscribe({}, { signal: stopping.signal })) seen.push(id);
    })();
    await two.deposit('ben', 2);
    await one.deposit('ada', 1);
    expect(seen).toEqual([]);
    await one.sync();
    await two.sync();
    await expect.poll(() => seen).toEqual(['d1-1.0', 'd2-1.0']);
    stopping.abort();
    await followed;
  });

  it.each([false, true])(
    'follows what a restored server has put elsewhere: what stands there now is told, and some of it once more (slow: %s)',
    async (isSlow) => {
      const world = createWorld();
      const [one, two] = [world.createDevice(), world.createDevice()];
      await one.deposit('ada', 1);
      await one.deposit('ada', 2);
      await one.sync();
      const restore = await world.backUp();
      await one.deposit('ada', 3);
      await one.sync();
      const seen: string[] = [];
      const stopping = new AbortController();
      let goOn = () => {};
      const followed = (async () => {
        for await (const { id } of one.client.subscribe({}, { signal: stopping.signal })) {
          seen.push(id);
          if (!isSlow || seen.length > 1) continue;
          await new Promise<void>((resolve) => {
            goOn = resolve;
          });
        }
      })();
      const before = ['d1-1.0', 'd1-2.0', 'd1-3.0'].slice(0, isSlow ? 1 : 3);
      await expect.poll(() => seen).toEqual(before);
      one.goOffline();
      await restore();
      await two.deposit('ben', 4);
      await two.deposit('ben', 5);
      await two.sync();
      await one.sync();
      goOn();
      // The slow one had been told of less: it goes on behind that.
      const after = [...(isSlow ? ['d1-2.0'] : []), 'd2-1.0', 'd2-2.0', 'd1-3.0'];
      await expect.poll(() => seen).toEqual([...before, ...after]);
      await one.deposit('ada', 5);
      await one.sync();
      await expect.poll(() => seen).toEqual([...before, ...after, 'd1-4.0']);
      stopping.abort();
      await followed;
    },
  );

  it('law: any order of delivery ends in the same rows, in the same order, on all devices', async () => {
    const step = fc.record({
      device: fc.nat(2),
      act: fc.oneof(
        {
          weight: 5,
          arbitrary: fc.record({ to: fc.constantFrom('a', 'b', 'c'), amount: fc.integer({ min: -9, max: 9 }) }),
        },
        { weight: 1, arbitrary: fc.constantFrom('close a', 'close b') },
        { weight: 2, arbitrary: fc.constantFrom('online', 'offline', 'sync') },
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = createWorld();
        const devices = [world.createDevice(), world.createDevice(), world.createDevice()];
        for (const { device: index, act } of steps) {
          const device = devices[index] as (typeof devices)[0];
          if (act === 'online') device.goOnline();
          else if (act === 'offline') device.goOffline();
          else if (act === 'sync') await device.sync();
          else if (typeof act === 'string') await device.client.execute(Account, act.slice(-1), 'close', {});
          else if (act.amount > 0) await device.deposit(act.to, act.amount);
          else await device.withdraw(act.to, 1 - act.amount);
        }
        for (const device of [...devices, ...devices]) await device.sync();
        const events: RecordedEvent[] = [];
        for await (const page of (devices[0] as (typeof devices)[0]).log.read({})) events.push(...page);
        const replay = createFold(Balances);
        replay.apply({ events, unreadable: [], to: events.length }, false);
        for (const { balances } of devices) {
          await expect.poll(() => [...balances.rows]).toEqual([...replay.rows]);
        }
        for (const { client } of devices) await client.close();
      }),
      { numRuns: Number(process.env.VARVE_RUNS ?? 15), seed: Number(process.env.VARVE_SEED ?? 7) },
    );
  }, 120_000);
});

describe('a tab whose log an import in another tab has replaced', () => {
  it('follows where sync is the first to notice: it would hold the place of the one that syncs', async () => {
    const old = createMemoryEventLog({ logId: 'log-1', client: 'a' });
    let isReplaced = false;
    const replaced: MemoryEventLog = Object.create(old, {
      openSync: {
        value: async (): Promise<SyncedLog> => {
          const synced = await old.openSync();
          return {
            write: async (work, options) => {
              if (isReplaced) throw new FailureError({ type: 'storage.replaced', text: 'An import replaced it.' });
              return synced.write(work, options);
            },
          };
        },
      },
    });
    const imported = createMemoryEventLog({ logId: 'log-1', client: 'b' });
    const logs = [replaced, imported];
    let host: SyncHost | undefined;
    const sync: Sync = {
      start: (given) => {
        host = given;
        return { wake: () => undefined, stop: async () => undefined };
      },
    };
    const client = createClient(bankApp, () =>
      createInProcessWorker({ app: bankApp, log: logs.shift() ?? imported, sync }),
    );
    await client.mirror(Balances).ready;
    isReplaced = true;
    await expect(host?.readState()).rejects.toMatchObject({ failure: { type: 'storage.replaced' } });
    await expect.poll(() => logs).toEqual([]);
    expect(await client.execute(Account, 'ada', 'deposit', { amount: 1 })).toMatchObject({ status: 'saved' });
    expect(await imported.head()).toBe(1);
    await client.close();
  });
});
