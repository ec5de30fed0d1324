import { assertEqual, assertRejects, assertResolves } from '../assert.ts';
import type { ConformanceCases } from './conformance-case.ts';
import { append, pause, positionsOf, readAll, readAllCommits } from './log-access.ts';
import { commitOf } from './sample-commits.ts';

/** A log that was closed is closed for whoever closed it, and for nobody else. */
export const closingCases: ConformanceCases = {
  'refuses to read and to write once it is closed': async ({ log }) => {
    await append(log, commitOf('c1', ['a-1']));
    log.close();
    let ran = false;
    await assertRejects(
      log.write(async () => {
        ran = true;
      }),
    );
    assertEqual(ran, false, 'work ran on a closed log');
    await assertRejects(readAll(log));
    await assertRejects(readAll(log, { stream: 'a-1' }));
    await assertRejects(readAllCommits(log));
    await assertRejects(log.head());
    await assertRejects(log.revisions(['a-1']));
  },

  'finishes a write that is under way when it is closed': async ({ log, open }) => {
    const write = log.write(async (transaction) => {
      const events = await transaction.append(commitOf('under-way', ['a-1']));
      log.close();
      return events;
    });
    const written = await assertResolves(write, 'a write that was under way when the log was closed');
    assertEqual(positionsOf(written), [1]);
    assertEqual(await (await open()).head(), 1);
  },

  'can be closed twice, and leaves other openings open': async ({ log, open }) => {
    const other = await open();
    await append(log, commitOf('c1', ['a-1']));
    log.close();
    log.close();
    await assertResolves(append(other, commitOf('c2', ['a-1'])), 'a write through another opening');
    assertEqual((await readAll(other)).length, 2);
  },

  'tells nobody of growth once it is closed': async ({ log, open }) => {
    const other = await open();
    let told = 0;
    log.onGrowth(() => {
      told += 1;
    });
    log.close();
    await append(other, commitOf('c1', ['a-1']));
    await pause(100);
    assertEqual(told, 0);
  },
};
