import { describe, expect, it } from 'vitest';
import { renderPage } from './fixtures/page.tsx';
import { openSlowClient } from './fixtures/slow-client.ts';
import { ledger } from './ledger/ledger.ts';
import { useFileDrop } from './use-file-drop.ts';

/** A page that takes files. What is sent to it answers whether the page made it its business. */
async function openPage() {
  const taken: string[] = [];
  const Page = () => (useFileDrop(({ name }) => taken.push(name)) ? 'drop it' : 'waiting');
  const page = renderPage(openSlowClient(ledger).client, <Page />);
  await page.shows('waiting');
  const send = (type: string, dataTransfer: DataTransfer) =>
    !page.container.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer }));
  return { page, taken, send };
}

describe('a page that takes files', () => {
  it('takes the one that is dropped on it', async () => {
    const { page, taken, send } = await openPage();
    const transfer = new DataTransfer();
    transfer.items.add(new File(['text'], 'statement.csv'));
    expect(send('dragover', transfer)).toBe(true);
    await page.shows('drop it');
    expect(send('drop', transfer)).toBe(true);
    await page.shows('waiting');
    expect(taken).toEqual(['statement.csv']);
    await page.unmount();
  });

  it('leaves a text to the field in which it is dropped', async () => {
    const { page, taken, send } = await openPage();
    const transfer = new DataTransfer();
    transfer.setData('text/plain', 'S-01');
    expect([send('dragover', transfer), send('drop', transfer)]).toEqual([false, false]);
    await page.shows('waiting');
    expect(taken).toEqual([]);
    await page.unmount();
  });
});
