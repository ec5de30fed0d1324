import { describe, expect, it } from 'vitest';
import { Counter, Counts, Total } from '../testing/fixtures/counter-app.ts';
import { openClient, renderPage, settle } from './fixtures/page.tsx';
import { useReady, useRow } from './index.ts';

describe('useReady', () => {
  it('is false until the rows of all projections have come, and renders for that alone', async () => {
    const client = openClient();
    const seen: boolean[] = [];
    const Skeleton = () => {
      const isReady = useReady(Counts, Total);
      seen.push(isReady);
      return isReady ? <Count /> : 'skeleton';
    };
    const Count = () => `count: ${useRow(Counts, 'a')?.count}`;
    const page = renderPage(client, <Skeleton />);
    expect(page.text()).not.toBe('loading');
    await client.execute(Counter, 'a', 'count', { by: 2 });
    await page.shows('count: 2');
    await client.execute(Counter, 'a', 'count', { by: 2 });
    await page.shows('count: 4');
    expect(seen).toEqual([false, true]);
    await page.unmount();
  });

  it('follows other projections when it is asked for them', async () => {
    const client = openClient();
    const Ready = ({ both }: { readonly both: boolean }) => `${useReady(...(both ? [Counts, Total] : [Counts]))}`;
    const page = renderPage(client, <Ready both={false} />);
    await page.shows('true');
    page.render(<Ready both />);
    await settle();
    await page.shows('true');
    expect(client.mirror(Total).loaded).toBe(true);
    await page.unmount();
  });
});
