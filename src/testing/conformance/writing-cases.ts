import type { EventLog } from '../../log/event-log.ts';
import { assertEqual, assertRejects } from '../assert.ts';
import type { ConformanceCases } from './conformance-case.ts';
import { append, appendAll, appendOnce, positionsOf, readAll } from './log-access.ts';
import { commitOf, eventOf, range, recordedOf, sampleCommits } from './sample-commits.ts';

/** A write is one exclusive transaction: whole or not at all, and nobody else's in between. */
export const writingCases: ConformanceCases = {
  'returns what the work returns': async ({ log }) => {
    assertEqual(await log.write(async () => 'done'), 'done');
    assertEqual(await log.head(), 0);
    const recorded = await log.write((transaction) => transaction.append(commitOf('c1', ['a-1'])), {
      durability: 'relaxed',
    });
    assertEqual(await readAll(log), recorded);
  },

  'stores nothing of a write whose work throws': async ({ log }) => {
    await append(log, commitOf('c1', ['a-1']));
    await assertRejects(
      log.write(async (transaction) => {
        await transaction.append(commitOf('c2', ['a-1', 'a-2']));
        await transaction.append(commitOf('c3', ['a-1']));
        throw new Error('changed my mind');
      }),
      'changed my mind',
    );
    assertEqual(await log.head(), 1);
    assertEqual(positionsOf(await readAll(log)), [1]);
    assertEqual(await log.revisions(['a-1', 'a-2']), [0, -1]);
    assertEqual(await log.write((transaction) => transaction.findCommit('c2')), undefined);
    const [next] = await append(log, commitOf('c4', ['a-1']));
    assertEqual([next?.position, next?.revision], [2, 1]);
  },

  'shows a write its own appends': async ({ log }) => {
    await append(log, commitOf('c1', ['a-1']));
    await log.write(async (transaction) => {
      const recorded = await transaction.append(commitOf('c2', ['a-1', 'a-2']));
      assertEqual(transaction.head, 3);
      assertEqual(await transaction.revisions(['a-1', 'a-2', 'a-3']), [1, 0, -1]);
      assertEqual(positionsOf(await transaction.readStream('a-1', 0)), [1, 2]);
      assertEqual(positionsOf(await transaction.readStream('a-1', 1)), [2]);
      assertEqual(await transaction.findCommit('c2'), recorded);
      await transaction.append(commitOf('c3', ['a-1']));
    });
    assertEqual(
      (await readAll(log)).map(({ revision }) => revision),
      [0, 1, 0, 2],
    );
  },

  'keeps a write open over a turn of the event loop': async ({ log }) => {
    await log.write(async (transaction) => {
      await transaction.append(commitOf('c1', ['a-1']));
      for (const _turn of range(1, 3)) await transaction.turn();
      await transaction.append(commitOf('c2', ['a-1']));
    });
    assertEqual(await log.head(), 2);
  },

  'runs writes one after the other, whoever asks': async ({ log, open }) => {
    const other = await open();
    // Counts on from what it reads: a write between the read and the append would lose a count.
    const count = async (writer: EventLog, name: string) => {
      for (const index of range(1, 25)) {
        await writer.write(async (transaction) => {
          const [revision = -1] = await transaction.revisions(['a-1']);
          const seen = await transaction.readStream('a-1', 0);
          assertEqual(seen.length, revision + 1);
          await transaction.turn();
          const events = [eventOf({ data: seen.length })];
          const [appended] = await transaction.append(commitOf(`${name}-${index}`, [], { events }));
          assertEqual([appended?.position, appended?.revision], [seen.length + 1, seen.length]);
        });
      }
    };
    await Promise.all([count(log, 'one'), count(other, 'two')]);
    const events = await readAll(log);
    assertEqual(
      events.map(({ position, revision, data }) => [position, revision, data]),
      range(0, 49).map((index) => [index + 1, index, index]),
    );
    assertEqual(await readAll(other), events);
  },

  'reads a stream from a revision on': async ({ log }) => {
    const commits = sampleCommits(200, 4);
    await appendAll(log, commits);
    const all = recordedOf(commits);
    await log.write(async (transaction) => {
      for (const stream of ['account-0', 'account-7', 'none']) {
        const whole = all.filter((event) => event.stream === stream);
        for (const from of [0, 1, 10, whole.length - 1, whole.length, whole.length + 5]) {
          assertEqual(
            await transaction.readStream(stream, from),
            whole.filter(({ revision }) => revision >= from),
            `"${stream}" from revision ${from}`,
          );
        }
      }
    });
  },

  'finds a commit by its command id over the whole history': async ({ log, open }) => {
    const commits = sampleCommits(400, 5);
    await appendAll(log, commits);
    const all = recordedOf(commits);
    for (const each of [log, await open()]) {
      await each.write(async (transaction) => {
        for (const index of [0, 1, 7, 100, 140, 199, 256, 399]) {
          const expected = all.filter(({ meta }) => meta.commandId === `c${index}`);
          assertEqual(await transaction.findCommit(`c${index}`), expected, `commit "c${index}"`);
        }
        for (const unknown of ['c400', 'c', 'C1', 'c1.0', 'root-1']) {
          assertEqual(await transaction.findCommit(unknown), undefined, `commit "${unknown}"`);
        }
      });
    }
  },

  'stores a command once, however often and by whomever it is sent': async ({ log, open }) => {
    const writers = [log, await open()];
    const commits = range(0, 9).map((index) => commitOf(`c${index}`, ['a-1', `a-${index}`]));
    const answers = await Promise.all(
      commits.flatMap((commit) => [...writers, ...writers].map((writer) => appendOnce(writer, commit))),
    );
    const all = await readAll(log);
    assertEqual(positionsOf(all), range(1, 20));
    assertEqual(new Set(all.map(({ id }) => id)).size, 20, 'different event ids');
    for (const [index, answer] of answers.entries()) {
      const expected = all.filter(({ meta }) => meta.commandId === `c${Math.floor(index / 4)}`);
      assertEqual(answer, expected, `answer to sending ${index % 4} of "c${Math.floor(index / 4)}"`);
    }
  },

  'knows the revisions of streams, in the order asked': async ({ log, open }) => {
    const commits = sampleCommits(120, 6);
    await appendAll(log, commits);
    const asked = [...range(0, 13).map((index) => `account-${13 - index}`), 'none', 'account-3', 'account-3'];
    const all = recordedOf(commits);
    const expected = asked.map((stream) => all.filter((event) => event.stream === stream).length - 1);
    for (const each of [log, await open()]) {
      assertEqual(await each.revisions(asked), expected);
      assertEqual(await each.write((transaction) => transaction.revisions(asked)), expected);
      assertEqual(await each.revisions([]), []);
      assertEqual(await each.head(), all.length);
    }
  },
};
