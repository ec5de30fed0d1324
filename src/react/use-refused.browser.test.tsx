import { expect, it } from 'vitest';
import { allowAll } from '../server/policy.ts';
import { createWorld } from '../testing/fixtures/sync-world.ts';
import { renderPage, settle } from './fixtures/page.tsx';
import { useRefused } from './index.ts';

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
