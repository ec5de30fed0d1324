import { flushSync } from 'react-dom';
import { describe, expect, it } from 'vitest';
import { cdp } from 'vitest/browser';
import { Counter, Counts, Sum, Total } from '../testing/fixtures/counter-app.ts';
import { countSubscriptions, openClient, renderPage, settle } from './fixtures/page.tsx';
import {
  useCommand,
  useEvents,
  useProjection,
  useQuery,
  useReady,
  useReceipt,
  useRow,
  useStatus,
  useValue,
} from './index.ts';

/** Each hook, and how many listeners it holds while it is on screen. */
const hooks: readonly (readonly [name: string, use: () => unknown, listeners: number])[] = [
  ['useProjection', () => useProjection(Counts), 1],
  ['useProjection with select', () => useProjection(Counts, ({ size }) => size), 1],
  ['useProjection without suspending', () => useProjection(Counts, undefined, { suspend: false }), 1],
  ['useRow', () => useRow(Counts, 'a'), 1],
  ['useValue', () => useValue(Sum), 1],
  ['useQuery', () => useQuery(Counts), 1],
  ['useQuery without suspending', () => useQuery(Counts, { limit: 1 }, { suspend: false }), 1],
  ['useReady', () => useReady(Counts, Total), 2],
  ['useStatus', () => useStatus(), 1],
  ['useEvents', () => useEvents({ stream: 'counter-a' }), 1],
  ['useReceipt', () => useReceipt('c1'), 1],
  // It listens to nothing but its own calls.
  ['useCommand', () => useCommand(Counter, 'count').pending, 0],
];

describe('after an unmount', () => {
  it.each(hooks.flatMap(([name, use, listeners]) => [false, true].map((strict) => ({ name, use, listeners, strict }))))(
    '$name leaves no listener and renders no more (strict: $strict)',
    async ({ use, listeners, strict }) => {
      const counted = countSubscriptions(openClient());
      const { client } = counted;
      let renders = 0;
      const Hook = () => {
        renders += 1;
        use();
        return 'shown';
      };
      const page = renderPage(client, <Hook />, { strict });
      await page.shows('shown');
      await settle();
      expect(counted.open()).toBe(listeners);
      // Also one that is in the midst of something.
      const executing = client.execute(Counter, 'a', 'count', { by: 1 }, { commandId: 'c1' });
      page.render(null);
      await settle();
      expect(counted.open()).toBe(0);
      const before = renders;
      await executing;
      await client.execute(Counter, 'a', 'count', { by: 1 });
      await settle();
      expect(renders).toBe(before);
      await page.unmount();
    },
  );

  it('nothing has grown, a thousand times over', async () => {
    const counted = countSubscriptions(openClient());
    const { client } = counted;
    await client.execute(Counter, 'a', 'count', { by: 1 }, { commandId: 'c1' });
    await Promise.all([...[Counts, Total, Sum].map((each) => client.mirror(each).ready), client.query(Counts).ready]);
    const All = () => {
      for (const [, use] of hooks) use();
      return 'shown';
    };
    const page = renderPage(client, null);
    const perMount = hooks.reduce((sum, [, , listeners]) => sum + listeners, 0);
    for (let turn = 1; turn <= 1000; turn += 1) {
      flushSync(() => page.render(<All />));
      flushSync(() => page.render(null));
      if (turn % 100 !== 0) continue;
      await settle();
      expect([counted.open(), counted.made()]).toEqual([0, turn * perMount]);
    }
    expect(page.container.childNodes).toHaveLength(0);
    await page.unmount();
  });
});

describe('a call to the worker', () => {
  it('leaves nothing behind when it is answered', async () => {
    const client = openClient();
    const readOften = async () => {
      for (let turn = 0; turn < 2000; turn += 1) for await (const _ of client.read({ limit: 1 }));
      return measureHeap();
    };
    // The first calls warm up what is kept for all of them.
    await readOften();
    const before = await readOften();
    const bytesPerCall = ((await readOften()) - before) / 2000;
    expect(bytesPerCall).toBeLessThan(50);
    await client.close();
  });
});

async function measureHeap(): Promise<number> {
  // The types of the provider's protocol are not those of Chromium.
  const session = cdp() as unknown as { send(method: string): Promise<{ readonly usedSize: number }> };
  await session.send('HeapProfiler.collectGarbage');
  return (await session.send('Runtime.getHeapUsage')).usedSize;
}
