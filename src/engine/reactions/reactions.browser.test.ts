import { describe, expect, it } from 'vitest';
import { type Client, createClient } from '../../client/client.ts';
import { Alarm, alarmApp, type Heard, heardChannel, Rings } from '../../testing/fixtures/alarm-app.ts';

function open() {
  const workers: Worker[] = [];
  const client = createClient(
    alarmApp,
    () => {
      const worker = new Worker(new URL('../../testing/fixtures/alarm.worker.ts', import.meta.url), { type: 'module' });
      workers.push(worker);
      return worker;
    },
    { askToPersist: false },
  );
  return { client, workers };
}

/** What the reactor heard of some alarms, in whichever tab it ran. */
function listen() {
  const heard: Heard[] = [];
  const channel = new BroadcastChannel(heardChannel);
  channel.onmessage = ({ data }: MessageEvent<Heard>) => heard.push(data);
  return {
    of: (id: string) => heard.filter(({ stream }) => stream === `alarm-${id}`).map(({ type }) => type),
    close: () => channel.close(),
  };
}

function runs({ status }: Client): boolean {
  const { consumers } = status.getState();
  return consumers.length === 2 && consumers.every(({ isRunning }) => isRunning);
}

async function ringsOf(client: Client, id: string): Promise<number | undefined> {
  const rings = client.mirror(Rings);
  await rings.ready;
  return rings.rows.get(id)?.rings;
}

// One database for all tests of this file: each counts on ids of its own.
describe('reactors and processes in real workers', () => {
  it('run in one tab, and in another when that one is closed', async () => {
    const bell = listen();
    const [one, two] = [open().client, open().client];
    await Promise.all([one.mirror(Rings).ready, two.mirror(Rings).ready]);
    await expect.poll(() => runs(one) || runs(two)).toBe(true);
    const [first, second] = runs(one) ? [one, two] : [two, one];
    expect(runs(second)).toBe(false);
    const ids = Array.from({ length: 10 }, () => crypto.randomUUID());
    await Promise.all(ids.map((id) => second.execute(Alarm, id, 'set', { afterMs: 50 })));
    await expect.poll(() => ids.map((id) => bell.of(id))).toEqual(ids.map(() => ['Set', 'Rang']));
    expect(runs(second)).toBe(false);
    await first.close();
    await expect.poll(() => runs(second)).toBe(true);
    const last = crypto.randomUUID();
    await second.execute(Alarm, last, 'set', { afterMs: 0 });
    await expect.poll(() => bell.of(last)).toEqual(['Set', 'Rang']);
    await second.close();
    bell.close();
  });

  it('ring every alarm once where workers are terminated again and again', async () => {
    const bell = listen();
    const tabs = [open(), open()];
    const ids: string[] = [];
    let terminated = 0;
    for (let round = 0; round < 5; round += 1) {
      const saving = Array.from({ length: 8 }, (_, index) => {
        const id = crypto.randomUUID();
        ids.push(id);
        return tabs[index % 2]?.client.execute(Alarm, id, 'set', { afterMs: index * 10 });
      });
      await new Promise((resolve) => setTimeout(resolve, 10 + round * 15));
      for (const { client, workers } of tabs) {
        // One that has not answered yet has no lock by which its end would be noticed.
        for await (const _event of client.read({ limit: 1 })) break;
        // As a crash. The tab starts another; the lock may go to either.
        if (!runs(client)) continue;
        workers.at(-1)?.terminate();
        terminated += 1;
      }
      await Promise.all(saving);
    }
    expect(terminated).toBeGreaterThan(2);
    const [reader] = tabs;
    await expect
      .poll(() => Promise.all(ids.map((id) => reader && ringsOf(reader.client, id))), { timeout: 10_000 })
      .toEqual(ids.map(() => 1));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await Promise.all(ids.map((id) => reader && ringsOf(reader.client, id)))).toEqual(ids.map(() => 1));
    // At least once, in order.
    await expect.poll(() => ids.every((id) => bell.of(id).includes('Rang'))).toBe(true);
    for (const id of ids) expect([...new Set(bell.of(id))]).toEqual(['Set', 'Rang']);
    await Promise.all(tabs.map(({ client }) => client.close()));
    bell.close();
  }, 30_000);

  it('call at the next start at a deadline that fell due while no tab was open, and repeat nothing', async () => {
    const bell = listen();
    const id = crypto.randomUUID();
    const first = open().client;
    // Long enough to close the tab before, on a machine that is busy too.
    const afterMs = 3_000;
    const setAt = Date.now();
    await first.execute(Alarm, id, 'set', { afterMs });
    await expect.poll(() => bell.of(id)).toEqual(['Set']);
    await first.close();
    expect(Date.now()).toBeLessThan(setAt + afterMs);
    await new Promise((resolve) => setTimeout(resolve, setAt + afterMs + 200 - Date.now()));
    expect(bell.of(id)).toEqual(['Set']);
    const second = open().client;
    await second.mirror(Rings).ready;
    await expect.poll(() => bell.of(id)).toEqual(['Set', 'Rang']);
    await second.close();
    const third = open().client;
    await third.mirror(Rings).ready;
    await expect.poll(() => runs(third)).toBe(true);
    await expect.poll(() => third.status.getState().consumers.map(({ lag }) => lag)).toEqual([0, 0]);
    expect(bell.of(id)).toEqual(['Set', 'Rang']);
    expect(await ringsOf(third, id)).toBe(1);
    await third.close();
    bell.close();
  });

  it('start anew after an import, and repeat nothing of what was imported', async () => {
    const bell = listen();
    const { client } = open();
    const [before, late, after] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
    await client.execute(Alarm, before, 'set', { afterMs: 0 });
    // Set, and to ring in a day: in the log that is imported nobody waits for it.
    await client.execute(Alarm, late, 'set', { afterMs: 86_400_000 });
    await expect.poll(() => [bell.of(before), bell.of(late)]).toEqual([['Set', 'Rang'], ['Set']]);
    const exported = await new Response(client.export()).blob();
    expect(await client.import(exported, { replace: true })).toMatchObject({ status: 'imported' });
    await client.execute(Alarm, after, 'set', { afterMs: 0 });
    await expect.poll(() => bell.of(after)).toEqual(['Set', 'Rang']);
    expect([bell.of(before), bell.of(late)]).toEqual([['Set', 'Rang'], ['Set']]);
    expect(await ringsOf(client, before)).toBe(1);
    await client.close();
    bell.close();
  });
});
