import { describe, expect, it } from 'vitest';
import { Counter } from '../testing/fixtures/counter-app.ts';
import { openClient, openLog, renderPage, settle } from './fixtures/page.tsx';
import { useReceipt } from './index.ts';

describe('useReceipt', () => {
  it('shows a command on its way and what became of it, and renders for no other', async () => {
    const client = openClient();
    const seen: string[] = [];
    const Payment = () => {
      seen.push(useReceipt('payment')?.status ?? 'unknown');
      return seen.at(-1);
    };
    const page = renderPage(client, <Payment />);
    await page.shows('unknown');
    await settle();
    await client.execute(Counter, 'a', 'count', { by: 1 }, { commandId: 'other' });
    await client.execute(Counter, 'a', 'close', {}, { commandId: 'payment' });
    await page.shows('saved');
    expect(seen).toEqual(['unknown', 'sending', 'saved']);
    await page.unmount();
  });

  it('finds a command of an earlier visit, also under Strict Mode, and another one when its id changes', async () => {
    const log = openLog();
    const earlier = openClient(log);
    await earlier.execute(Counter, 'a', 'count', { by: 1 }, { commandId: 'first' });
    await earlier.execute(Counter, 'a', 'countTwice', { by: 1 }, { commandId: 'second' });
    await earlier.close();
    const client = openClient(log);
    const Position = ({ id }: { readonly id: string }) => {
      const receipt = useReceipt(id);
      return `${id}: ${receipt?.status === 'saved' ? receipt.position : 'unknown'}`;
    };
    const page = renderPage(client, <Position id="first" />, { strict: true });
    await page.shows('first: 1');
    page.render(<Position id="second" />);
    await page.shows('second: 3');
    page.render(<Position id="third" />);
    await settle();
    await page.shows('third: unknown');
    await page.unmount();
  });

  it('asks again where the log could not be read', async () => {
    const log = openLog();
    const earlier = openClient(log);
    await earlier.execute(Counter, 'a', 'count', { by: 1 }, { commandId: 'first' });
    await earlier.close();
    const client = openClient(log);
    let failures = 2;
    const receipts: typeof client.receipts = {
      ...client.receipts,
      find: async (commandId) => {
        if (failures === 0) return client.receipts.find(commandId);
        failures -= 1;
        throw new Error('the log cannot be read');
      },
    };
    const Payment = () => useReceipt('first')?.status ?? 'unknown';
    const page = renderPage({ ...client, receipts }, <Payment />);
    await page.shows('unknown');
    await page.shows('saved', 4_000);
    await page.unmount();
  });
});
