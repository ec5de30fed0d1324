import { describe, expect, it } from 'vitest';
import { Counter } from '../testing/fixtures/counter-app.ts';
import { openClient, renderPage, settle } from './fixtures/page.tsx';
import { useStatus } from './index.ts';

describe('useStatus', () => {
  it.each([false, true])('says what is saved, from the first frame on (strict: %s)', async (strict) => {
    const client = openClient();
    const seen = new Set<string>();
    const Saved = () => {
      const { phase, storage, saved, saving } = useStatus();
      const text = `${phase} ${storage} ${saved} ${saving}`;
      seen.add(text);
      return text;
    };
    const page = renderPage(client, <Saved />, { strict });
    await client.execute(Counter, 'a', 'count', { by: 1 });
    await page.shows('ready memory 1 0');
    expect([...seen][0]).toMatch(/^booting best-effort 0/);
    await page.unmount();
  });

  it('renders once for each change of the status, and for rows never', async () => {
    const client = openClient();
    let renders = 0;
    const Phase = () => {
      renders += 1;
      return useStatus().phase;
    };
    const page = renderPage(client, <Phase />);
    await client.execute(Counter, 'a', 'count', { by: 1 });
    await page.shows('ready');
    await settle();
    renders = 0;
    await client.execute(Counter, 'a', 'count', { by: 1 });
    await settle();
    // On its way, saved, no more on its way.
    expect(renders).toBe(3);
    renders = 0;
    await client.execute(Counter, 'a', 'count', { by: 0 });
    await settle();
    expect(renders).toBe(2);
    await page.unmount();
  });
});
