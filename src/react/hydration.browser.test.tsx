import { useState } from 'react';
import { renderToString } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { Counter, Counts, Sum, Total } from '../testing/fixtures/counter-app.ts';
import { openClient, openLater, openLog, renderPage, settle, wrap } from './fixtures/page.tsx';
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

let open = (_what: string) => {};

/** Every hook there is, each shown, and a part that opens later. */
function All() {
  const [what, setWhat] = useState('');
  open = setWhat;
  const count = useCommand(Counter, 'count');
  const rows = `${useProjection(Counts).size} ${useProjection(Total, ({ size }) => size)} ${useRow(Counts, 'a')?.count}`;
  const asked = `${useValue(Sum).sum} ${useQuery(Counts, { limit: 5 }).rows.length}`;
  const early = `${useRow(Counts, 'a', { suspend: false })?.count} ${useReady(Counts)}`;
  const rest = `${useStatus().phase} ${useEvents()?.length} ${useReceipt('c1')?.status} ${count.pending}`;
  return (
    <p>
      {`${rows} | ${asked} | ${early} | ${rest}`}
      {what === 'more' && <More />}
    </p>
  );
}

const More = () => ` ${useProjection(Counts, ({ size }) => size)}`;

const served = '0 0 undefined | 0 0 | undefined false | booting undefined undefined false';
const shown = '1 1 2 | 2 1 | 2 true | ready 1 saved false';

async function renderOnServer(strict = false): Promise<string> {
  const client = openClient();
  const html = renderToString(wrap(client, <All />, strict));
  await client.close();
  return html;
}

/** A log with one event, of an earlier visit. */
async function writeLog() {
  const log = openLog();
  const client = openClient(log);
  await client.execute(Counter, 'a', 'count', { by: 2 }, { commandId: 'c1' });
  await client.close();
  return log;
}

describe('the HTML of a server', () => {
  it.each([false, true])('is hydrated as it is, and then shows the rows (strict: %s)', async (strict) => {
    const html = await renderOnServer(strict);
    const page = renderPage(openClient(await writeLog()), <All />, { strict, html });
    expect(page.text()).toBe(served);
    const paragraph = page.container.querySelector('p');
    await page.shows(shown);
    // The same element: it was hydrated, and not thrown away and made anew.
    expect(page.container.querySelector('p')).toBe(paragraph);
    await page.unmount();
  });

  it('stays on screen, and works, until the rows come: no fallback takes its place', async () => {
    const { client, open: openTheLog } = openLater(await writeLog());
    const page = renderPage(client, <All />, { html: await renderOnServer() });
    const seen = new Set<string>();
    const observer = new MutationObserver(() => seen.add(page.text()));
    observer.observe(page.container, { childList: true, subtree: true, characterData: true });
    await settle();
    expect(page.text()).toBe(served);
    openTheLog();
    await page.shows(shown);
    expect([...seen].filter((text) => text.includes('loading'))).toEqual([]);
    await page.unmount();
  });

  it('does not change how a part waits that is opened later', async () => {
    const { client, open: openTheLog } = openLater(await writeLog());
    const page = renderPage(client, <All />, { html: await renderOnServer() });
    await settle();
    open('more');
    await expect.poll(() => page.text()).toContain('loading');
    openTheLog();
    await page.shows(`${shown} 1`);
    await page.unmount();
  });

  it('is hydrated right where the rows were there first', async () => {
    const client = openClient(await writeLog());
    const first = client.query(Counts, { limit: 5 });
    await Promise.all([...[Counts, Total, Sum].map((projection) => client.mirror(projection).ready), first.ready]);
    const page = renderPage(client, <All />, { html: await renderOnServer() });
    await page.shows(shown);
    await client.execute(Counter, 'b', 'count', { by: 1 });
    await page.shows('2 1 2 | 3 2 | 2 true | ready 2 saved false');
    await page.unmount();
  });
});
