import { Profiler, startTransition, useDeferredValue, useState } from 'react';
import { describe, expect, it } from 'vitest';
import { Counter, Counts, Total } from '../testing/fixtures/counter-app.ts';
import { openClient, type Page, renderPage, settle } from './fixtures/page.tsx';
import { useProjection, useRow } from './index.ts';

/** Long enough for React to leave off a render that may wait, and go on with it later. */
function work(): void {
  const end = performance.now() + 3;
  while (performance.now() < end);
}

const slowParts = Array.from({ length: 30 }, (_, index) => index);

/** What all parts of the page said, after each commit. */
function watchCommits(page: () => Page) {
  const commits: string[][] = [];
  const onRender = () =>
    commits.push([...page().container.querySelectorAll('i')].map(({ textContent }) => textContent));
  return { commits, onRender };
}

const distinct = (values: readonly string[]) => new Set(values).size;

describe('components that read the same projection', () => {
  it('show the same moment in every commit of a transition, although rows change while it renders', async () => {
    const client = openClient();
    await client.execute(Counter, 'a', 'count', { by: 1 });
    let open = () => {};
    const rendered: string[] = [];
    const Row = () => {
      work();
      const text = `${useRow(Counts, 'a')?.count}`;
      rendered.push(text);
      return <i>{text}</i>;
    };
    const Selected = () => <i>{useProjection(Counts, (rows) => [rows.get('a')?.count])}</i>;
    // Of another projection, changed by the same patch.
    const Sum = () => <i>{useRow(Total, 'total')?.total}</i>;
    const Parts = () => {
      const [isOpen, setOpen] = useState(false);
      open = () => startTransition(() => setOpen(true));
      return [
        <Selected key="selected" />,
        <Sum key="sum" />,
        isOpen && slowParts.map((part) => <Row key={part} />),
        isOpen && <Selected key="last" />,
      ];
    };
    const { commits, onRender } = watchCommits(() => page);
    const page = renderPage(
      client,
      <Profiler id="parts" onRender={onRender}>
        <Parts />
      </Profiler>,
    );
    await page.shows('11');
    open();
    // Arrives while the transition is at work.
    await expect.poll(() => rendered.length, { interval: 1 }).toBeGreaterThan(2);
    await client.execute(Counter, 'a', 'count', { by: 1 });
    await page.shows('2'.repeat(slowParts.length + 3));
    await settle();
    // The test would prove nothing, had the rows not changed in the midst of a render.
    expect(rendered[0]).toBe('1');
    expect(rendered).toContain('2');
    expect(commits.filter((texts) => distinct(texts) !== 1)).toEqual([]);
    await page.unmount();
  });

  it('show the same moment where one of them is deferred', async () => {
    const client = openClient();
    await client.execute(Counter, 'a', 'count', { by: 1 });
    let search = (_text: string) => {};
    let slowRenders = 0;
    const Found = ({ wanted }: { readonly wanted: string }) => {
      slowRenders += 1;
      work();
      return (
        <i>{useProjection(Counts, (rows) => [...rows].filter(([id]) => id === wanted).map(([, row]) => row.count))}</i>
      );
    };
    const Search = () => {
      const [text, setText] = useState('a');
      search = setText;
      const wanted = useDeferredValue(text);
      const count = useRow(Counts, wanted)?.count;
      return [<i key="row">{count}</i>, slowParts.map((part) => <Found key={part} wanted={wanted} />)];
    };
    const { commits, onRender } = watchCommits(() => page);
    const page = renderPage(
      client,
      <Profiler id="search" onRender={onRender}>
        <Search />
      </Profiler>,
    );
    const all = (text: string) => text.repeat(slowParts.length + 1);
    await page.shows(all('1'));
    await client.execute(Counter, 'b', 'count', { by: 5 });
    await settle();
    const before = slowRenders;
    search('b');
    await expect.poll(() => slowRenders - before, { interval: 1 }).toBeGreaterThan(2);
    await Promise.all(['a', 'b'].map((id) => client.execute(Counter, id, 'count', { by: 1 })));
    await page.shows(all('6'));
    await settle();
    expect(commits.filter((texts) => distinct(texts) !== 1)).toEqual([]);
    await page.unmount();
  });
});
