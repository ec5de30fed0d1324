import { expect, it, vi } from 'vitest';
import { createUpcaster } from '../../core/upcast.ts';
import { createMemoryEventLog } from '../../log/memory-event-log.ts';
import { Counts, counterApp } from '../../testing/fixtures/counter-app.ts';
import { createBuild } from './build.ts';
import { createFold } from './fold.ts';

/** A build of the rows of three commits, by a clock that can be set. */
async function start(save: () => Promise<boolean>) {
  const log = createMemoryEventLog();
  for (const commandId of ['c1', 'c2', 'c3']) {
    const event = { stream: 'counter-a', type: 'Counted', version: 1, data: { by: 1 } };
    await log.write((transaction) =>
      transaction.append({ commandId, correlationId: commandId, recordedAt: 0, events: [event] }),
    );
  }
  const fold = createFold(Counts);
  const shown = { position: 1 };
  const clock = { now: 0 };
  const build = createBuild({
    log,
    upcaster: createUpcaster(counterApp),
    folds: [fold],
    from: 0,
    shown,
    toHead: async () => undefined,
    save,
    now: () => clock.now,
    onProgress: () => undefined,
    onDone: () => undefined,
  });
  return { build, fold, shown, clock };
}

it('takes nothing more once its rows have taken their place, also where they were being saved at that moment', async () => {
  let endSave = (_saved: boolean) => {};
  const save = () =>
    new Promise<boolean>((resolve) => {
      endSave = resolve;
    });
  const { build, fold, shown, clock } = await start(save);
  clock.now = 10_000;
  const built = build.run();
  await expect.poll(() => fold.position).toBe(2);
  // What is shown comes as far as the rows that are being saved: from now on they are what is shown.
  shown.position = 2;
  build.follow([]);
  endSave(true);
  await built;
  expect(fold.rows.get('a')).toMatchObject({ count: 2 });
});

it('saves its rows also where the clock was set back since it saved them last', async () => {
  const save = vi.fn(async () => true);
  const { build, shown, clock } = await start(save);
  shown.position = 3;
  clock.now = -10_000;
  await build.run();
  expect(save).toHaveBeenCalledTimes(1);
});
