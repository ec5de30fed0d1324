import { act, type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { describe, expect, it } from 'vitest';
import { type Client, createClient } from '../client/client.ts';
import type { Receipt } from '../core/index.ts';
import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { Counter, Counts, counterApp, Total } from '../testing/fixtures/counter-app.ts';
import { createInProcessWorker } from '../testing/in-process-worker.ts';
import { useCommand, useEvents, useProjection, useRow, useStatus, VarveProvider } from './index.ts';

declare global {
  var IS_REACT_ACT_ENVIRONMENT: boolean;
}
globalThis.IS_REACT_ACT_ENVIRONMENT = true;

function openClient(): Client {
  const log = createMemoryEventLog({ logId: crypto.randomUUID() });
  return createClient(counterApp, () => createInProcessWorker({ app: counterApp, log }));
}

/** Renders and waits until `text` has come. */
async function render(client: Client, children: ReactNode, strict = false) {
  const container = document.body.appendChild(document.createElement('div'));
  const root = createRoot(container);
  const tree = (
    <VarveProvider client={client} fallback="loading">
      {children}
    </VarveProvider>
  );
  await act(async () => root.render(strict ? <StrictMode>{tree}</StrictMode> : tree));
  await act(async () => {
    await Promise.all([client.mirror(Counts).ready, client.mirror(Total).ready]);
  });
  return {
    text: () => container.textContent,
    execute: (id: string, by: number) => act(async () => void (await client.execute(Counter, id, 'count', { by }))),
    settle: () => act(async () => void (await new Promise((resolve) => setTimeout(resolve, 30)))),
    unmount: async () => {
      await act(async () => root.unmount());
      container.remove();
      await client.close();
    },
  };
}

describe('useRow', () => {
  it('renders again when its row changes, and only then', async () => {
    const client = openClient();
    const renders: Record<string, number> = { a: 0, b: 0 };
    const Count = ({ id }: { readonly id: string }) => {
      renders[id] = (renders[id] ?? 0) + 1;
      return <p>{`${id}=${useRow(Counts, id)?.count ?? 'none'} `}</p>;
    };
    const page = await render(client, [<Count key="a" id="a" />, <Count key="b" id="b" />]);
    expect(page.text()).toBe('a=none b=none ');
    const before = { ...renders };
    await page.execute('a', 2);
    expect(page.text()).toBe('a=2 b=none ');
    expect(renders).toEqual({ a: (before.a ?? 0) + 1, b: before.b });
    await page.unmount();
  });
});

describe('useProjection', () => {
  it('accepts an inline selector that returns a new array, and renders once per change of rows', async () => {
    const client = openClient();
    let renders = 0;
    const List = () => {
      renders += 1;
      return <p>{useProjection(Counts, (rows) => [...rows.keys()]).join(',')}</p>;
    };
    const page = await render(client, <List />);
    const before = renders;
    for (const id of ['a', 'b', 'c']) await page.execute(id, 1);
    expect(page.text()).toBe('a,b,c');
    expect(renders).toBe(before + 3);
    await page.unmount();
  });

  it('gives a map that does not change, and a new one after each change', async () => {
    const client = openClient();
    const seen: ReadonlyMap<string, { readonly count: number }>[] = [];
    const All = () => {
      seen.push(useProjection(Counts));
      return null;
    };
    const page = await render(client, <All />);
    await page.execute('a', 1);
    await page.execute('a', 1);
    expect(seen.slice(-3).map((rows) => rows.get('a')?.count)).toEqual([undefined, 1, 2]);
    await page.unmount();
  });

  it('does not render where another projection changed', async () => {
    const client = openClient();
    let renders = 0;
    const Sum = () => {
      renders += 1;
      return <p>{useRow(Total, 'total')?.total ?? 0}</p>;
    };
    const page = await render(client, <Sum />);
    await page.execute('a', 1);
    const before = renders;
    await act(async () => void (await client.execute(Counter, 'a', 'close', {})));
    expect(renders).toBe(before);
    await page.unmount();
  });

  it('works under Strict Mode and leaves no subscription behind', async () => {
    const client = openClient();
    const Sum = () => <p>{useProjection(Counts, (rows) => rows.size)}</p>;
    const page = await render(client, <Sum />, true);
    await page.execute('a', 1);
    expect(page.text()).toBe('1');
    await page.unmount();
  });
});

describe('useCommand', () => {
  it('keeps its identity and answers with the receipt', async () => {
    const client = openClient();
    const commands = new Set<unknown>();
    let click: (() => Promise<Receipt>) | undefined;
    const Button = () => {
      const count = useCommand(Counter, 'count');
      commands.add(count);
      click = () => count('a', { by: 3 });
      return <p>{useRow(Counts, 'a')?.count ?? 0}</p>;
    };
    const page = await render(client, <Button />);
    // React throws away what a component that suspended had memoised.
    commands.clear();
    let receipt: Receipt | undefined;
    await act(async () => {
      receipt = await click?.();
    });
    expect(receipt).toMatchObject({ status: 'saved', revision: 0 });
    expect(page.text()).toBe('3');
    expect(commands.size).toBe(1);
    await page.unmount();
  });
});

describe('useStatus', () => {
  it('says what is saved', async () => {
    const client = openClient();
    const Saved = () => {
      const { phase, storage, saved, saving } = useStatus();
      return <p>{`${phase} ${storage} ${saved} ${saving}`}</p>;
    };
    const page = await render(client, <Saved />);
    await page.execute('a', 1);
    expect(page.text()).toBe('ready memory 1 0');
    await page.unmount();
  });
});

describe('useEvents', () => {
  it('gives the newest events first and follows new ones, from an empty log on', async () => {
    const client = openClient();
    const Feed = ({ stream }: { readonly stream: string }) => (
      <p>
        {useEvents({ stream, limit: 3 })
          ?.map(({ position }) => position)
          .join(',') ?? 'reading'}
      </p>
    );
    const page = await render(client, <Feed stream="counter-a" />);
    await page.settle();
    expect(page.text()).toBe('');
    for (const id of ['a', 'b', 'a', 'a', 'a']) await page.execute(id, 1);
    await page.settle();
    expect(page.text()).toBe('5,4,3');
    await page.unmount();
  });
});

describe('the first rows', () => {
  it('are on screen in the frame in which they come, not when React would show them after a fallback', async () => {
    globalThis.IS_REACT_ACT_ENVIRONMENT = false;
    const client = openClient();
    const container = document.body.appendChild(document.createElement('div'));
    const root = createRoot(container);
    try {
      const Count = () => <p>{`rows: ${useProjection(Counts).size}`}</p>;
      const seen: (string | null)[] = [];
      const shown = new Promise<number>((resolve) => {
        const observer = new MutationObserver(() => {
          seen.push(container.textContent);
          if (container.textContent?.includes('rows: 0')) resolve(performance.now());
        });
        observer.observe(container, { childList: true, subtree: true, characterData: true });
      });
      root.render(
        <VarveProvider client={client} fallback="loading">
          <Count />
        </VarveProvider>,
      );
      await client.mirror(Counts).ready;
      const ready = performance.now();
      expect((await shown) - ready).toBeLessThan(100);
      expect(seen).toEqual(['loading', 'rows: 0']);
    } finally {
      globalThis.IS_REACT_ACT_ENVIRONMENT = true;
      root.unmount();
      container.remove();
      await client.close();
    }
  });
});
