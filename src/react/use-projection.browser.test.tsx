import { type ReactNode, useState } from 'react';
import { flushSync } from 'react-dom';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { RowOf } from '../core/index.ts';
import { Counter, Counts, Total } from '../testing/fixtures/counter-app.ts';
import { openClient, openLater, renderPage, settle } from './fixtures/page.tsx';
import { useProjection, useRow } from './index.ts';

describe('useRow', () => {
  it('renders again when its row changes, once, and only then', async () => {
    const client = openClient();
    const renders: Record<string, number> = { a: 0, b: 0 };
    const Count = ({ id }: { readonly id: string }) => {
      renders[id] = (renders[id] ?? 0) + 1;
      return `${id}=${useRow(Counts, id)?.count ?? 'none'} `;
    };
    const page = renderPage(client, [<Count key="a" id="a" />, <Count key="b" id="b" />]);
    await page.shows('a=none b=none ');
    const before = { ...renders };
    await client.execute(Counter, 'a', 'count', { by: 2 });
    await page.shows('a=2 b=none ');
    await settle();
    expect(renders).toEqual({ a: (before.a ?? 0) + 1, b: before.b });
    await page.unmount();
  });

  it('shows the other row in the same render in which its key changes', async () => {
    const client = openClient();
    await client.execute(Counter, 'a', 'count', { by: 1 });
    await client.execute(Counter, 'b', 'count', { by: 2 });
    let show = (_id: string) => {};
    const seen: string[] = [];
    const Count = () => {
      const [id, setId] = useState('a');
      show = setId;
      seen.push(`${id}=${useRow(Counts, id)?.count}`);
      return seen.at(-1);
    };
    const page = renderPage(client, <Count />);
    await page.shows('a=1');
    seen.length = 0;
    show('b');
    await page.shows('b=2');
    await settle();
    expect(seen).toEqual(['b=2']);
    await page.unmount();
  });
});

describe('useProjection', () => {
  it('accepts an inline selector that returns a new array, and renders once per change of rows', async () => {
    const client = openClient();
    let renders = 0;
    const List = () => {
      renders += 1;
      return `keys: ${useProjection(Counts, (rows) => [...rows.keys()]).join(',')}`;
    };
    const page = renderPage(client, <List />);
    await page.shows('keys: ');
    await settle();
    const before = renders;
    for (const id of ['a', 'b', 'c']) await client.execute(Counter, id, 'count', { by: 1 });
    await page.shows('keys: a,b,c');
    await settle();
    expect(renders).toBe(before + 3);
    await page.unmount();
  });

  it('does not render where rows changed and what was selected did not', async () => {
    const client = openClient();
    let renders = 0;
    const Size = () => {
      renders += 1;
      return `size: ${useProjection(Counts, ({ size }) => size)}`;
    };
    const page = renderPage(client, <Size />);
    await client.execute(Counter, 'a', 'count', { by: 1 });
    await page.shows('size: 1');
    await settle();
    const before = renders;
    await client.execute(Counter, 'a', 'count', { by: 1 });
    await settle();
    expect(renders).toBe(before);
    await page.unmount();
  });

  it('gives a map that does not change, and a new one after each change', async () => {
    const client = openClient();
    const seen: ReadonlyMap<string, { readonly count: number }>[] = [];
    const All = () => {
      const rows = useProjection(Counts);
      seen.push(rows);
      return `size: ${rows.size}`;
    };
    const page = renderPage(client, <All />);
    await page.shows('size: 0');
    await client.execute(Counter, 'a', 'count', { by: 1 });
    await settle();
    await client.execute(Counter, 'a', 'count', { by: 1 });
    await settle();
    expect(seen.slice(-3).map((rows) => rows.get('a')?.count)).toEqual([undefined, 1, 2]);
    await page.unmount();
  });

  it('does not render where another projection changed', async () => {
    const client = openClient();
    let renders = 0;
    const Sum = () => {
      renders += 1;
      return `total: ${useRow(Total, 'total')?.total ?? 0}`;
    };
    const page = renderPage(client, <Sum />);
    await client.execute(Counter, 'a', 'count', { by: 1 });
    await page.shows('total: 1');
    await settle();
    const before = renders;
    await client.execute(Counter, 'a', 'close', {});
    await settle();
    expect(renders).toBe(before);
    await page.unmount();
  });
});

describe('the first rows', () => {
  it('are on screen in the frame in which they come, not when React would show them after a fallback', async () => {
    const client = openClient();
    const page = renderPage(client, <Size />);
    const seen: string[] = [];
    const shown = new Promise<number>((resolve) => {
      const observer = new MutationObserver(() => {
        seen.push(page.text());
        if (page.text() === 'size: 0') resolve(performance.now());
      });
      observer.observe(page.container, { childList: true, subtree: true, characterData: true });
    });
    await client.mirror(Counts).ready;
    const ready = performance.now();
    expect((await shown) - ready).toBeLessThan(100);
    expect(seen).toEqual(['loading', 'size: 0']);
    await page.unmount();
  });

  it('need no fallback in a part that opens when they are there', async () => {
    const client = openClient();
    await client.mirror(Counts).ready;
    const seen: string[] = [];
    const page = renderPage(client, 'closed');
    await page.shows('closed');
    const observer = new MutationObserver(() => seen.push(page.text()));
    observer.observe(page.container, { childList: true, subtree: true, characterData: true });
    // In one go, as after a click: what suspends now, for however short, is a fallback on screen.
    flushSync(() => page.render(<Size />));
    await settle();
    expect(seen).toEqual(['size: 0']);
    await page.unmount();
  });

  it('keep the fallback on screen until they come', async () => {
    const { client, open } = openLater();
    const page = renderPage(client, <Size />);
    await page.shows('loading');
    await settle();
    expect(page.text()).toBe('loading');
    open();
    await page.shows('size: 0');
    await page.unmount();
  });

  it('are undefined for who does not suspend, and then there: selected, all of them, or one', async () => {
    const { client, open } = openLater();
    const seen = new Set<string>();
    const Parts = () => {
      const size = useProjection(Counts, (rows) => rows.size, { suspend: false });
      const all = useProjection(Counts, undefined, { suspend: false });
      const row = useRow(Counts, 'a', { suspend: false });
      const text = `${size} ${all?.size} ${row?.count}`;
      seen.add(text);
      return text;
    };
    const page = renderPage(client, <Parts />);
    await page.shows('undefined undefined undefined');
    open();
    await page.shows('0 0 undefined');
    await client.execute(Counter, 'a', 'count', { by: 3 });
    await page.shows('1 1 3');
    // All hooks of one component, and no half of them, at each render.
    expect([...seen]).toEqual(['undefined undefined undefined', '0 0 undefined', '1 1 3']);
    await page.unmount();
  });
});

describe('the types', () => {
  it('have undefined only where a hook does not suspend', () => {
    type Row = RowOf<typeof Counts>;
    const suspending = () => [useProjection(Counts), useProjection(Counts, ({ size }) => size)] as const;
    expectTypeOf(suspending).returns.toEqualTypeOf<readonly [ReadonlyMap<string, Row>, number]>();
    const notSuspending = () =>
      [
        useProjection(Counts, undefined, { suspend: false }),
        useProjection(Counts, ({ size }) => size, { suspend: false }),
      ] as const;
    expectTypeOf(notSuspending).returns.toEqualTypeOf<
      readonly [ReadonlyMap<string, Row> | undefined, number | undefined]
    >();
    expectTypeOf(() => useRow(Counts, 'a')).returns.toEqualTypeOf<Row | undefined>();
  });
});

function Size(): ReactNode {
  return `size: ${useProjection(Counts).size}`;
}
