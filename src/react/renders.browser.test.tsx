import { expect, it } from 'vitest';
import { command } from '../core/index.ts';
import { Counter, Counts, Sum, Total } from '../testing/fixtures/counter-app.ts';
import { openClient, renderPage, settle } from './fixtures/page.tsx';
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

/** Each hook on a page with rows `a` and `b`, and how often it renders when `a` is counted up by one command. */
const hooks: readonly (readonly [name: string, use: () => unknown, renders: number])[] = [
  ['useRow of the row', () => useRow(Counts, 'a'), 1],
  ['useRow of another', () => useRow(Counts, 'b'), 0],
  ['useProjection', () => useProjection(Counts), 1],
  ['useProjection with select of the row', () => useProjection(Counts, (rows) => rows.get('a')), 1],
  ['useProjection with select of another', () => useProjection(Counts, (rows) => rows.get('b')), 0],
  ['useProjection of rows that stay', () => useProjection(Total, (rows) => rows.size), 0],
  ['useValue', () => useValue(Sum), 1],
  ['useQuery with the row', () => useQuery(Counts, { where: { $key: 'a' } }), 1],
  ['useQuery without the row', () => useQuery(Counts, { where: { $key: 'b' } }), 0],
  ['useEvents of the stream', () => useEvents({ stream: 'counter-a' }), 1],
  ['useEvents of another', () => useEvents({ stream: 'counter-b' }), 0],
  ['useReady', () => useReady(Counts, Total), 0],
  // On its way, and saved.
  ['useReceipt of the command', () => useReceipt('up'), 2],
  ['useReceipt of another', () => useReceipt('other'), 0],
  ['useCommand', () => useCommand(Counter, 'count'), 0],
  // On its way, saved, and no more on its way.
  ['useStatus', () => useStatus(), 3],
];

it('one row changes, and what shows it renders, once; nothing else does', async () => {
  const client = openClient();
  await client.execute(['a', 'b'].map((id) => command(Counter, id, 'count', { by: 1 })));
  const renders: Record<string, number> = {};
  const parts = hooks.map(([name, use]) => {
    const Part = () => {
      use();
      renders[name] = (renders[name] ?? 0) + 1;
      return '.';
    };
    return <Part key={name} />;
  });
  const page = renderPage(client, parts);
  await page.shows('.'.repeat(hooks.length));
  await settle();
  await settle();
  for (const [name] of hooks) renders[name] = 0;
  await client.execute(Counter, 'a', 'count', { by: 1 }, { commandId: 'up' });
  await settle();
  await settle();
  expect(renders).toEqual(Object.fromEntries(hooks.map(([name, , times]) => [name, times])));
  await page.unmount();
});
