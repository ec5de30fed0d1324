import { describe, expect, it } from 'vitest';
import { createRandom } from '../testing/random.ts';
import { createTestLocks } from './fixtures/test-host.ts';
import { createTestWorld } from './fixtures/test-world.ts';

const runs = Number(process.env.VARVE_SYNC_RUNS ?? 25);

/** Some devices, each with two tabs, on a line that loses, doubles and delays; servers that go back, tabs that freeze. */
async function simulate(seed: number): Promise<void> {
  const random = createRandom(seed);
  const chance = (share: number) => random() < share;
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  const world = createTestWorld({ limits: { pushCommits: 3, pageEvents: 4 } });
  let isHealed = false;
  world.setPolicy({
    commit: (_actor, { commandId }) => {
      if (commandId.startsWith('poison')) return { deny: 'POISON' };
      return !isHealed && chance(0.1) ? { after: 2_000 } : 'allow';
    },
  });
  world.setLine(async (request, pass) => {
    if (isHealed) return pass();
    if (chance(0.1)) throw new TypeError('lost on the way');
    if (chance(0.05)) await new Promise<void>((resolve) => world.env.callLater(resolve, Math.floor(random() * 40_000)));
    const copy = request.clone();
    const response = await pass();
    if (chance(0.05)) return world.again(copy);
    if (chance(0.1)) throw new TypeError('lost on the way back');
    return response;
  });
  const devices = ['a', 'b', 'c'].map((client) => world.device(client));
  const browsers = devices.map((device) => ({ device, locks: createTestLocks() }));
  const open = ({ device, locks }: (typeof browsers)[number], hasLocks: boolean) =>
    world.start(device, hasLocks ? { locks } : {});
  const tabs = browsers.flatMap((browser) => [open(browser, true), open(browser, true)]);
  const saved: string[] = [];

  for (let step = 0; step < 60; step += 1) {
    const browser = pick(browsers);
    const id = `${chance(0.1) ? 'poison' : 'good'}-${step}`;
    if (chance(0.6)) {
      browser.device.save(id, { streams: [pick(['x', 'y', 'z'])] });
      if (id.startsWith('good')) saved.push(id);
    }
    if (chance(0.05)) browser.locks.steal();
    // Two at once, without a lock.
    if (chance(0.05)) tabs.push(open(browser, false));
    if (chance(0.05)) await world.restore(Math.floor(random() * ((await world.ids()).length + 1)));
    if (chance(0.1)) pick(tabs).wake();
    await world.clock.advance(Math.floor(random() * 20_000));
  }
  isHealed = true;
  await world.clock.advance(30 * 60_000);

  const ids = await world.ids();
  expect([...ids].sort(), `seed ${seed}`).toEqual([...saved].sort());
  for (const device of devices) {
    expect(device.ids, `seed ${seed}`).toEqual(ids);
    expect([device.pending, device.orphans], `seed ${seed}`).toEqual([[], []]);
    expect(device.refused.filter(({ code }) => code !== 'POISON')).toEqual([]);
  }
  for (const { host } of tabs) {
    expect(['synced', 'elsewhere']).toContain(host.last?.phase);
    expect(host.last?.nextWakeAt).toBeGreaterThanOrEqual(world.clock.now);
  }
  await Promise.all(tabs.map(({ stop }) => stop()));
}

describe('sync, whatever happens', () => {
  it('ends with every commit once, in one order, on every device', async () => {
    for (let seed = 1; seed <= runs; seed += 1) await simulate(seed);
  }, 120_000);
});
