import type { EventLog } from '../../log/event-log.ts';
import { assertEqual, assertRejects } from '../assert.ts';
import type { ConformanceCases } from './conformance-case.ts';
import { append, pause, positionsOf, readAll, readAllCommits } from './log-access.ts';
import { commitOf, range } from './sample-commits.ts';

const commitSize = 1000;

/** Readers see whole commits, and only those that the storage has. */
export const visibilityCases: ConformanceCases = {
  'shows everybody what a write has appended once it resolves': async ({ log, open }) => {
    const other = await open();
    for (const index of range(1, 20)) {
      const recorded = await append(log, commitOf(`c${index}`, ['a-1']));
      assertEqual(await other.head(), index);
      assertEqual(await readAll(other, { from: index }), recorded);
      assertEqual(await other.revisions(['a-1']), [index - 1]);
    }
  },

  'never shows a reader a part of a commit': async ({ log, open }) => {
    const reader = await open();
    const streams = range(1, commitSize).map((index) => `a-${index % 5}`);
    const writeAll = async () => {
      for (const index of range(1, 8)) await append(log, commitOf(`c${index}`, streams));
    };
    let lookedAt = 0;
    await whileRunning(writeAll(), async () => {
      const look = looks[lookedAt % looks.length];
      lookedAt += 1;
      await look?.(reader);
    });
    for (const look of looks) await look(reader);
    assertEqual(await reader.head(), 8 * commitSize);
  },

  'never shows a reader what a write has not committed': async ({ log, open }) => {
    const reader = await open();
    const writeTwo = log.write(async (transaction) => {
      await transaction.append(commitOf('c1', ['a-1']));
      for (const _turn of range(1, 10)) await transaction.turn();
      await transaction.append(commitOf('c2', ['a-1']));
    });
    await whileRunning(writeTwo, async () => {
      const seen = positionsOf(await readAll(reader));
      assertEqual(seen, seen.length === 0 ? [] : [1, 2], 'what a reader sees of a write of two commits');
    });
    const writeAndThrow = assertRejects(
      log.write(async (transaction) => {
        await transaction.append(commitOf('c3', ['a-1']));
        for (const _turn of range(1, 10)) await transaction.turn();
        throw new Error('changed my mind');
      }),
      'changed my mind',
    );
    await whileRunning(writeAndThrow, async () => {
      assertEqual(await reader.head(), 2, 'the head that a reader sees while a write is open that will be undone');
      assertEqual(await reader.revisions(['a-1']), [1]);
    });
  },
};

/** Ways to look at a log of commits of `commitSize` events that is being written; each fails where it sees a part of one. */
const looks: readonly ((reader: EventLog) => Promise<void>)[] = [
  async (reader) => {
    const events = await readAll(reader);
    assertEqual(events.length % commitSize, 0, 'events of a commit that is seen in part');
    assertEqual(positionsOf(events), range(1, events.length));
  },
  async (reader) => assertEqual((await reader.head()) % commitSize, 0, 'events of a commit that the head counts'),
  async (reader) => {
    const [newest] = await readAll(reader, { backwards: true, limit: 1 });
    assertEqual((newest?.position ?? 0) % commitSize, 0, 'position in its commit of the newest event');
  },
  async (reader) => {
    const ofStream = await readAll(reader, { stream: 'a-1' });
    assertEqual(ofStream.length % (commitSize / 5), 0, 'events of one stream of a commit that is seen in part');
  },
  async (reader) => {
    const sizes = (await readAllCommits(reader)).map(({ events }) => events.length);
    assertEqual(
      sizes,
      sizes.map(() => commitSize),
      'sizes of the commits',
    );
  },
];

/** Looks again and again, a turn of the event loop apart, until `work` is done; passes on what either throws. */
async function whileRunning(work: Promise<unknown>, look: () => Promise<void>): Promise<void> {
  let running = true;
  const done = work.finally(() => {
    running = false;
  });
  const looking = (async () => {
    while (running) {
      await look();
      await pause();
    }
  })();
  // Both are heard to the end: what is left running would disturb the next case.
  const [worked, looked] = await Promise.allSettled([done, looking]);
  if (looked.status === 'rejected') throw looked.reason;
  if (worked.status === 'rejected') throw worked.reason;
}
