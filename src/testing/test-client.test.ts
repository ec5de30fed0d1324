import { describe, expect, it } from 'vitest';
import { Counter, Counts, counterApp } from './fixtures/counter-app.ts';
import { day, mailBy, Order, Orders, shopWith } from './fixtures/shop-app.ts';
import { createTestClient } from './test-client.ts';

describe('a test client', () => {
  it('runs a whole app, and settles when nothing is left to do', async () => {
    const { client, settle, close } = createTestClient(shopWith());
    const orders = client.mirror(Orders);
    await client.execute(Order, 'a', 'place', { price: 5 });
    await settle();
    expect(orders.rows.get('a')?.history).toEqual(['placed', 'reminded']);
    await close();
  });

  it('needs no reactor and no process', async () => {
    const { client, clock, reload, close } = createTestClient(counterApp);
    await client.execute(Counter, 'a', 'count', { by: 2 });
    await clock.advance(day);
    await reload();
    const counts = client.mirror(Counts);
    await counts.ready;
    expect(counts.rows.get('a')?.count).toBe(2);
    expect(clock.now).toBe(day);
    await close();
  });

  it('makes the same log in every run', async () => {
    const run = async () => {
      const { client, clock, close } = createTestClient(shopWith(), { now: 5 });
      for (const id of ['a', 'b']) {
        await client.execute(Order, id, 'place', { price: 5 });
        await clock.advance(day);
      }
      await clock.advance(3 * day);
      const events = [];
      for await (const event of client.read()) events.push(event);
      await close();
      return events;
    };
    const events = await run();
    expect(events).toHaveLength(8);
    expect(await run()).toEqual(events);
  });

  it('shows what was stored after the worker was ended in the middle of something', async () => {
    let release = () => {};
    const Slow = mailBy(() => new Promise<void>((resolve) => (release = resolve)));
    const { client, reload, settle, close } = createTestClient(shopWith([Slow], []));
    const orders = client.mirror(Orders);
    await client.execute(Order, 'a', 'place', { price: 5 });
    const stale = release;
    const reloaded = reload();
    await expect.poll(() => release !== stale).toBe(true);
    release();
    await reloaded;
    await client.execute(Order, 'a', 'remind', {});
    await expect.poll(() => orders.rows.get('a')?.history).toEqual(['placed', 'reminded']);
    release();
    await settle();
    await close();
  });

  it('says who keeps it from settling', async () => {
    const Stuck = mailBy(() => new Promise(() => undefined));
    const { client, settle, close } = createTestClient(shopWith([Stuck], []));
    await client.execute(Order, 'a', 'place', { price: 5 });
    await expect(settle()).rejects.toThrow('the reactor "mail" is at position 0');
    await close();
  }, 10_000);
});
