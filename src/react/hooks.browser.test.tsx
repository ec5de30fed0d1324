import { act, type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { describe, expect, it } from 'vitest';
import { type Client, createClient } from '../client/client.ts';
import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { Counter, Counts, counterApp, Total } from '../testing/fixtures/counter-app.ts';
import { createInProcessWorker } from '../testing/in-process-worker.ts';
import { useEvents, useStatus, VarveProvider } from './index.ts';

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
