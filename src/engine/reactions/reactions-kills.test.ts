import 'fake-indexeddb/auto';
import { describe, expect, it } from 'vitest';
import { createClient } from '../../client/client.ts';
import type { Env } from '../../core/env.ts';
import type { RecordedEvent } from '../../core/events.ts';
import { openDexieEventLog } from '../../log/dexie-event-log.ts';
import type { EventLog } from '../../log/event-log.ts';
import { createMemoryEventLog } from '../../log/memory-event-log.ts';
import { type Random, range, seededRandom } from '../../testing/conformance/sample-commits.ts';
import { createMortalLog } from '../../testing/fixtures/mortal-log.ts';
import { day, hour, mailBy, Order, shopWith } from '../../testing/fixtures/shop-app.ts';
import { createInProcessWorker } from '../../testing/in-process-worker.ts';

const orders = range(1, 6).map((number) => `${number}`);

/** What a page does in the life of one worker. */
interface Sent {
  readonly id: string;
  readonly name: 'place' | 'pay';
  readonly commandId: string;
}

/** Runs a shop whose worker dies at random calls of its log, life after life; the last ones live as long as they want. */
async function runShop(log: EventLog, random: Random) {
  const seen: string[] = [];
  const app = shopWith([mailBy((id) => seen.push(id))]);
  let now = 1_000;
  let ids = 0;
  let kills = 0;

  async function live(lifetime: number, sent: readonly Sent[]): Promise<void> {
    const mortal = createMortalLog(log, lifetime, random.below(2) === 0);
    let waiting = 0;
    const env: Env = {
      now: () => now,
      newId: () => {
        ids += 1;
        return `id-${ids}`;
      },
      // Time stands still in a life, and goes on between two.
      callLater: () => {
        waiting += 1;
        return () => {
          waiting -= 1;
        };
      },
    };
    const worker = createInProcessWorker({ app, log: mortal.log, env });
    const client = createClient(app, () => worker, { askToPersist: false });
    const work = async () => {
      for await (const _event of client.read({ limit: 1 })) break;
      await Promise.all(
        sent.map(({ id, name, commandId }) =>
          name === 'place'
            ? client.execute(Order, id, 'place', { price: 5 }, { commandId })
            : client.execute(Order, id, 'pay', {}, { commandId }),
        ),
      );
      while (waiting < app.consumers.size && !mortal.isDead) await new Promise((resolve) => setTimeout(resolve));
    };
    const outcome = await Promise.race([work().then(() => 'done'), mortal.death.then(() => 'dead')]);
    if (outcome === 'dead') kills += 1;
    worker.terminate();
  }

  // Before its first command the worker stores where its consumers start.
  await live(Number.POSITIVE_INFINITY, []);
  for (const id of orders) {
    const sent: Sent[] = [{ id, name: 'place', commandId: `place-${id}` }];
    if (random.below(3) === 0) sent.push({ id: random.pick(orders), name: 'pay', commandId: `pay-${id}` });
    for (let lives = random.below(4); lives > 0; lives -= 1) await live(random.below(60), sent);
    now += random.pick([0, 1, hour, day, 2 * day]);
    for (let lives = random.below(3); lives > 0; lives -= 1) await live(random.below(60), sent);
    await live(Number.POSITIVE_INFINITY, sent);
  }
  for (const later of [day, day, 2 * day]) {
    now += later;
    for (let lives = random.below(4); lives > 0; lives -= 1) await live(random.below(90), []);
    await live(Number.POSITIVE_INFINITY, []);
  }
  const events: RecordedEvent[] = [];
  for await (const page of log.read({})) events.push(...page);
  return { events, seen, kills };
}

function check({ events, seen }: Awaited<ReturnType<typeof runShop>>): void {
  // Every event at least once and in order; again only the one that was not noted yet.
  const inOrder = seen.filter((id, index) => id !== seen[index - 1]);
  expect(inOrder).toEqual(events.map(({ id }) => id));
  // Every command of the process exactly once.
  for (const id of orders) {
    const history = events.filter(({ stream }) => stream === `order-${id}`).map(({ type }) => type);
    const isPaid = history.includes('Paid');
    expect(history.filter((type) => type === 'Placed')).toHaveLength(1);
    const reminders = history.filter((type) => type === 'Reminded').length;
    if (isPaid) {
      expect([1, 2]).toContain(reminders);
      expect(history).not.toContain('Cancelled');
    } else {
      expect(history).toEqual(['Placed', 'Reminded', 'Reminded', 'Cancelled']);
    }
  }
  for (const { type, meta } of events) {
    if (type === 'Placed' || type === 'Paid') continue;
    expect(meta.causationId).toMatch(/^place-\d\.0$/);
    expect(meta.correlationId).toMatch(/^place-\d$/);
  }
}

describe('reactors and processes whose worker is killed at random points', () => {
  it('do every command exactly once and see every event at least once, in order', async () => {
    let kills = 0;
    for (const seed of range(1, 60)) {
      const run = await runShop(createMemoryEventLog(), seededRandom(seed));
      try {
        check(run);
      } catch (error) {
        throw new Error(`With the seed ${seed}: ${String(error)}`, { cause: error });
      }
      kills += run.kills;
    }
    expect(kills).toBeGreaterThan(500);
  }, 60_000);

  it('do so on IndexedDB', async () => {
    const env = { now: () => 0, newId: () => crypto.randomUUID() };
    for (const seed of range(101, 106)) {
      const log = await openDexieEventLog({ name: `kills-${seed}`, env });
      check(await runShop(log, seededRandom(seed)));
      log.close();
    }
  }, 60_000);
});
