import { act, Component, type ReactNode, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { type Client, createClient } from '../client/client.ts';
import { type Cursor, command, type RowQuery } from '../core/index.ts';
import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { Counter } from '../testing/fixtures/counter-app.ts';
import { Ranking, rankingApp } from '../testing/fixtures/ranking-app.ts';
import { createInProcessWorker } from '../testing/in-process-worker.ts';
import { useQuery, VarveProvider } from './index.ts';

declare global {
  var IS_REACT_ACT_ENVIRONMENT: boolean;
}
globalThis.IS_REACT_ACT_ENVIRONMENT = true;

/** A client on a log with these counts, and the names of the calls that its worker gets. */
async function open(counts: Readonly<Record<string, number>>) {
  const log = createMemoryEventLog({ logId: crypto.randomUUID() });
  const calls: string[] = [];
  const client = createClient(rankingApp, () => {
    const worker = createInProcessWorker({ app: rankingApp, log });
    return {
      ...worker,
      postMessage: (message: { readonly path?: readonly string[] }, transfer) => {
        calls.push(message.path?.[0] ?? '');
        worker.postMessage(message, transfer);
      },
    };
  });
  await client.execute(Object.entries(counts).map(([id, by]) => command(Counter, id, 'count', { by })));
  return { client, calls };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Renders and waits until `text` is no longer the fallback. */
async function render(client: Client, children: ReactNode, strict = false) {
  const container = document.body.appendChild(document.createElement('div'));
  const root = createRoot(container);
  const seen: string[] = [];
  const observer = new MutationObserver(() => seen.push(container.textContent ?? ''));
  observer.observe(container, { childList: true, subtree: true, characterData: true });
  const tree = (
    <VarveProvider client={client} fallback="loading">
      {children}
    </VarveProvider>
  );
  await act(async () => root.render(strict ? <StrictMode>{tree}</StrictMode> : tree));
  const settle = (ms = 30) => act(() => pause(ms));
  for (let turn = 0; turn < 100 && (turn === 0 || container.textContent === 'loading'); turn += 1) await settle();
  return {
    seen,
    settle,
    text: () => container.textContent,
    execute: (id: string, by: number) => act(async () => void (await client.execute(Counter, id, 'count', { by }))),
    act: (run: () => void) => act(async () => run()),
    unmount: async () => {
      observer.disconnect();
      await act(async () => root.unmount());
      container.remove();
    },
  };
}

describe('useQuery', () => {
  it('shows the rows of a query in order, written inline, and follows the log', async () => {
    const { client } = await open({ a: 1, b: 3, c: 2 });
    const Best = () => {
      const { rows, total, isStale } = useQuery(Ranking, { orderBy: ['count', 'desc'], limit: 2, total: true });
      return <p>{`${rows.map(({ key, row }) => `${key}=${row.count}`).join(' ')} of ${total} ${isStale}`}</p>;
    };
    const page = await render(client, <Best />);
    expect(page.text()).toBe('b=3 c=2 of 3 false');
    await page.execute('a', 5);
    expect(page.text()).toBe('a=6 b=3 of 3 false');
    await page.unmount();
    await client.close();
  });

  it('renders once for a change in the window, and not for one outside of it', async () => {
    const { client } = await open({ a: 1, b: 3, c: 2 });
    let renders = 0;
    const Best = () => {
      renders += 1;
      return <p>{useQuery(Ranking, { orderBy: ['count', 'desc'], limit: 2 }).rows.map(({ key }) => key)}</p>;
    };
    const page = await render(client, <Best />);
    const before = renders;
    await page.execute('a', 0.5);
    await page.execute('new', 0.5);
    expect(renders).toBe(before);
    await page.execute('c', 9);
    expect(page.text()).toBe('cb');
    expect(renders).toBe(before + 1);
    await page.unmount();
    await client.close();
  });

  it('keeps the rows of the query before, as stale, until those of the next have come', async () => {
    const { client } = await open({ a: 1, b: 3, c: 2 });
    let setQuery: (query: RowQuery<typeof Ranking>) => void = () => {};
    const List = () => {
      const [query, set] = useState<RowQuery<typeof Ranking>>({ where: { count: { above: 1 } } });
      setQuery = set;
      const { rows, isStale } = useQuery(Ranking, query);
      return <p>{rows.map(({ key }) => key).join('') + (isStale ? ' stale' : '')}</p>;
    };
    const page = await render(client, <List />);
    expect(page.text()).toBe('bc');
    page.seen.length = 0;
    await page.act(() => setQuery({ where: { count: { above: 2 } } }));
    await page.settle();
    expect(page.seen).toEqual(['bc stale', 'b']);
    // What is asked while the one before has not come.
    await page.act(() => setQuery({ where: { count: { below: 2 } } }));
    await page.act(() => setQuery({ where: { count: { below: 3 } } }));
    await page.settle();
    expect(page.text()).toBe('ac');
    expect(page.seen.some((text) => text.includes('loading'))).toBe(false);
    await page.unmount();
    await client.close();
  });

  it('is undefined until its first answer has come where it may not suspend', async () => {
    const { client } = await open({ a: 1, b: 2 });
    const seen: (string | undefined)[] = [];
    let setLimit: (limit: number) => void = () => {};
    const Some = () => {
      const [limit, set] = useState(1);
      setLimit = set;
      const answer = useQuery(Ranking, { limit }, { suspend: false });
      expectTypeOf(answer).toExtend<{ readonly isStale: boolean } | undefined>();
      seen.push(
        answer?.rows
          .map(({ key }) => key)
          .join('')
          .concat(answer.isStale ? ' stale' : ''),
      );
      return <p>{seen.at(-1)}</p>;
    };
    const page = await render(client, <Some />);
    await page.settle();
    await page.act(() => setLimit(2));
    await page.settle();
    expect([...new Set(seen)]).toEqual([undefined, 'a', 'a stale', 'ab']);
    expect(page.seen.some((text) => text.includes('loading'))).toBe(false);
    await page.unmount();
    await client.close();
  });

  it('pages with the cursor of the answer', async () => {
    const { client } = await open({ a: 1, b: 2, c: 3, d: 4, e: 5 });
    let turn: () => void = () => {};
    const Page = () => {
      const [after, setAfter] = useState<Cursor>();
      const { rows, next } = useQuery(Ranking, { orderBy: 'count', limit: 2, after });
      turn = () => setAfter(next);
      return <p>{rows.map(({ key }) => key).join('') + (next === undefined ? '.' : '…')}</p>;
    };
    const page = await render(client, <Page />);
    const texts = [page.text()];
    for (let turned = 0; turned < 2; turned += 1) {
      await page.act(turn);
      await page.settle();
      texts.push(page.text());
    }
    expect(texts).toEqual(['ab…', 'cd…', 'e.']);
    await page.unmount();
    await client.close();
  });

  it('shares a window between components, which never show two states of it', async () => {
    const { client, calls } = await open({ a: 1 });
    const pairs = new Set<string>();
    const Count = ({ onRead }: { readonly onRead?: (count: number) => void }) => {
      const count = useQuery(Ranking).rows[0]?.row.count ?? 0;
      onRead?.(count);
      return <i>{count}</i>;
    };
    const Pair = () => {
      let first = 0;
      return (
        <>
          <Count onRead={(count) => (first = count)} />
          <Count onRead={(count) => pairs.add(`${first} ${count}`)} />
        </>
      );
    };
    const page = await render(client, <Pair />);
    for (let turn = 0; turn < 5; turn += 1) await page.execute('a', 1);
    expect(page.text()).toBe('66');
    expect(page.seen.at(-1)).toBe('66');
    expect(page.seen.filter((text) => text.length === 2 && text[0] !== text[1])).toEqual([]);
    expect(calls.filter((name) => name === 'openQuery')).toHaveLength(1);
    await page.unmount();
    await client.close();
  });

  it('opens one window under Strict Mode, and closes it after the unmount', async () => {
    const { client, calls } = await open({ a: 1, b: 2 });
    const First = () => <p>{useQuery(Ranking, { limit: 1 }).rows.map(({ key }) => key)}</p>;
    const page = await render(client, <First />, true);
    expect(page.text()).toBe('a');
    // Longer than a window stays open that nobody follows.
    await page.settle(6_500);
    await page.execute('a', 99);
    expect(page.text()).toBe('b');
    expect(calls.filter((name) => name.endsWith('Query'))).toEqual(['openQuery']);
    await page.unmount();
    await expect
      .poll(() => calls.filter((name) => name.endsWith('Query')), { timeout: 3_000 })
      .toEqual(['openQuery', 'closeQuery']);
    await client.close();
  }, 20_000);

  it('closes the windows of the queries that it goes on from', async () => {
    const { client, calls } = await open({ a: 1, b: 2 });
    let setLimit: (limit: number) => void = () => {};
    const Some = () => {
      const [limit, set] = useState(1);
      setLimit = set;
      return <p>{useQuery(Ranking, { limit }).rows.map(({ key }) => key)}</p>;
    };
    const page = await render(client, <Some />);
    for (let limit = 2; limit < 6; limit += 1) {
      await page.act(() => setLimit(limit));
      await page.settle();
    }
    expect(page.text()).toBe('ab');
    const count = (name: string) => calls.filter((call) => call === name).length;
    await expect.poll(() => [count('openQuery'), count('closeQuery')], { timeout: 8_000 }).toEqual([5, 4]);
    await page.unmount();
    await expect.poll(() => count('closeQuery'), { timeout: 8_000 }).toBe(5);
    await client.close();
  }, 30_000);

  it('throws to the nearest boundary where the projection cannot answer, at first and later', async () => {
    const { client } = await open({ a: 1 });
    let setLimit: (limit: number) => void = () => {};
    const Some = ({ first }: { readonly first: number }) => {
      const [limit, set] = useState(first);
      setLimit = set;
      return <p>{useQuery(Ranking, { limit }).rows.map(({ key }) => key)}</p>;
    };
    const wrong = await render(
      client,
      <Boundary>
        <Some first={-1} />
      </Boundary>,
    );
    expect(wrong.text()).toMatch(/has the limit -1/);
    await wrong.unmount();
    const later = await render(
      client,
      <Boundary>
        <Some first={1} />
      </Boundary>,
    );
    expect(later.text()).toBe('a');
    await later.act(() => setLimit(0));
    await later.settle();
    expect(later.text()).toMatch(/has the limit 0/);
    await later.unmount();
    await client.close();
  });

  it('has its first rows on screen in the frame in which they come', async () => {
    globalThis.IS_REACT_ACT_ENVIRONMENT = false;
    const { client } = await open({ a: 1 });
    const container = document.body.appendChild(document.createElement('div'));
    const root = createRoot(container);
    try {
      const First = () => <p>{`rows: ${useQuery(Ranking).rows.length}`}</p>;
      const start = performance.now();
      root.render(
        <VarveProvider client={client} fallback="loading">
          <First />
        </VarveProvider>,
      );
      while (container.textContent !== 'rows: 1' && performance.now() - start < 2_000) await pause(1);
      expect(performance.now() - start).toBeLessThan(290);
    } finally {
      globalThis.IS_REACT_ACT_ENVIRONMENT = true;
      root.unmount();
      container.remove();
      await client.close();
    }
  });
});

class Boundary extends Component<{ readonly children: ReactNode }> {
  override state: { readonly error?: Error } = {};
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  override render(): ReactNode {
    return this.state.error === undefined ? this.props.children : this.state.error.message;
  }
}
