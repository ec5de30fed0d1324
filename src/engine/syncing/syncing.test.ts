import { describe, expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../client/client.ts';
import { createMemoryEventLog, type MemoryEventLog } from '../../log/memory-event-log.ts';
import { createMemorySyncStore } from '../../server/memory-sync-store.ts';
import { allowAll, authenticateTokens, type Policy } from '../../server/policy.ts';
import { createSyncHandler } from '../../server/sync-handler.ts';
import { httpSync } from '../../sync/http-sync.ts';
import { Account, Balances, bankApp, Meter, Meters, takeSeat } from '../../testing/fixtures/bank-app.ts';
import { createInProcessWorker, createTestEnv } from '../../testing/in-process-worker.ts';

function createWorld(policy: Policy = allowAll) {
  const store = createMemorySyncStore();
  const handler = createSyncHandler({
    store,
    authenticate: authenticateTokens({ secret: { id: 'ada' } }),
    authorise: policy,
  });
  let devices = 0;

  /** A device, off line at first. */
  function createDevice(log?: MemoryEventLog) {
    devices += 1;
    const name = `d${devices}`;
    const ownLog = log ?? createMemoryEventLog({ logId: 'log-1', client: name });
    let isOnline = false;
    const sync = httpSync({
      url: 'http://server',
      token: 'secret',
      fetch: async (input, init) => {
        if (!isOnline) throw new TypeError('Failed to fetch');
        const response = await handler(new Request(String(input), init));
        if (!isOnline) throw new TypeError('Failed to fetch');
        return response;
      },
    });
    const counter = (prefix: string) => {
      let last = 0;
      return () => {
        last += 1;
        return `${prefix}-${last}`;
      };
    };
    const env = { ...createTestEnv(), newId: counter(`${name}-drawn`) };
    const client = createClient(bankApp, () => createInProcessWorker({ app: bankApp, log: ownLog, env, sync }), {
      askToPersist: false,
      newId: counter(name),
    });
    onTestFinished(() => client.close());
    const balances = client.mirror(Balances);
    const meters = client.mirror(Meters);
    return {
      client,
      log: ownLog,
      balances,
      meters,
      deposit: (id: string, amount: number) => client.execute(Account, id, 'deposit', { amount }),
      withdraw: (id: string, amount: number) => client.execute(Account, id, 'withdraw', { amount }),
      goOffline: () => {
        isOnline = false;
      },
      /** Goes on line, and is in step with the server when it resolves. */
      sync: async () => {
        isOnline = true;
        client.syncNow();
        await expect
          .poll(
            async () => {
              const { sync: now } = client.status.getState();
              const head = (await store.findLog('log-1'))?.head.g;
              const isLevel = ownLog.order.confirmed === head && (await ownLog.head()) === head;
              return { phase: now?.phase, pending: now?.pending, isLevel };
            },
            { timeout: 4_000, interval: 10 },
          )
          .toEqual({ phase: 'synced', pending: 0, isLevel: true });
      },
    };
  }
  const ids = async () =>
    (await store.readCommits('log-1', 0, { events: 1e6, bytes: 1e9 })).map(({ text }) => JSON.parse(text).commandId);
  return { store, createDevice, ids };
}

const rowsOf = (mirror: { readonly rows: ReadonlyMap<string, unknown> }) => Object.fromEntries(mirror.rows);

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
      ...allowAll,
      commit: (_actor, { events }) =>
        events.some(({ stream }) => stream === 'account-evil') ? { deny: 'NO_EVIL' } : 'allow',
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
});
