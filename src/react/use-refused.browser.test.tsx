import { expect, it } from 'vitest';
import { allowAll } from '../server/policy.ts';
import { createWorld } from '../testing/fixtures/sync-world.ts';
import { renderPage, settle } from './fixtures/page.tsx';
import { useRefused, useStatus } from './index.ts';

it.each([false, true])('useRefused gives what was withdrawn, until it is dropped (strict: %s)', async (strict) => {
  const isDenied = (text: string) => text.includes('"amount":13');
  const world = createWorld({
    policy: { ...allowAll, commit: (_actor, commit) => (isDenied(JSON.stringify(commit)) ? { deny: 'NO' } : 'allow') },
  });
  const { client, deposit, sync } = world.createDevice();
  let renders = 0;
  const Refused = () => {
    renders += 1;
    const refused = useRefused();
    return refused.map(({ commandId, reason }) => `${commandId} ${reason.code}`).join(', ') || 'none';
  };
  const page = renderPage(client, <Refused />, { strict });
  await page.shows('none');
  const first = await deposit('ada', 13);
  await deposit('ada', 2);
  await sync();
  await page.shows(`${first.commandId} NO`);
  const second = await deposit('ben', 13);
  await sync();
  await page.shows(`${first.commandId} NO, ${second.commandId} NO`);
  await settle();
  renders = 0;
  await client.dropRefused([first.commandId]);
  await page.shows(`${second.commandId} NO`);
  await settle();
  expect(renders).toBe(strict ? 2 : 1);
  await client.dropRefused([second.commandId]);
  await page.shows('none');
  await page.unmount();
});

it('useRefused goes on showing what was withdrawn where it cannot be read for a while', async () => {
  const commit = () => ({ deny: 'NO' });
  const { client, deposit, sync } = createWorld({ policy: { ...allowAll, commit } }).createDevice();
  let failures = 1;
  const readRefused = async () => {
    if (failures === 0) return client.readRefused();
    failures -= 1;
    throw new Error('the log cannot be read');
  };
  const seen: number[] = [];
  const Refused = () => {
    const shown = useRefused().length;
    seen.push(shown);
    return `${shown} of ${useStatus().sync?.refused ?? 0}`;
  };
  const page = renderPage({ ...client, readRefused }, <Refused />);
  await deposit('ada', 1);
  await sync();
  await page.shows('1 of 1', 3_000);
  failures = 2;
  await deposit('ada', 2);
  await sync();
  await page.shows('2 of 2', 5_000);
  expect(failures).toBe(0);
  expect(seen).toEqual([...seen].sort());
  await page.unmount();
});
