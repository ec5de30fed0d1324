import type { EventLog, NewCommit, StreamEvent } from '../../log/event-log.ts';
import { assertEqual, assertRejects } from '../assert.ts';
import type { ConformanceCases } from './conformance-case.ts';
import { append, failureOf, readAll } from './log-access.ts';
import { commitOf, eventOf } from './sample-commits.ts';

/** What cannot be stored is refused as a whole, with `storage.event-refused` and a text that names it. */
export const refusalCases: ConformanceCases = {
  'refuses what JSON cannot carry, and stores nothing of its commit': async ({ log }) => {
    const payloads: readonly [unknown, string][] = [
      [{ when: new Date(0) }, '"when"'],
      [{ deep: [{ a: undefined }] }, '"deep.0.a"'],
      [{ sum: Number.NaN }, '"sum"'],
      [{ sum: Number.POSITIVE_INFINITY }, '"sum"'],
      [{ sum: -0 }, '"sum"'],
      [{ sum: 2 ** 53 }, '"sum"'],
      [{ sum: 1n }, '"sum"'],
      [{ set: new Map() }, '"set"'],
      [{ half: '\ud83d' }, '"half"'],
      [undefined, 'undefined'],
      [() => 1, 'function'],
    ];
    for (const [data, named] of payloads) await assertEventRefused(log, { data }, named);
    await assertNothingStored(log);
  },

  'refuses an event larger than 64 KiB, and takes one that fits exactly': async ({ log }) => {
    // Two quotation marks stand around the text.
    await append(log, commitOf('fits', [], { events: [eventOf({ data: 'x'.repeat(65_534) })] }));
    await append(log, commitOf('bytes', [], { events: [eventOf({ data: 'ž'.repeat(32_767) })] }));
    await assertEventRefused(log, { data: 'x'.repeat(65_535) }, '65536');
    await assertEventRefused(log, { data: 'ž'.repeat(32_768) }, '65536');
    assertEqual(
      (await readAll(log)).map(({ data }) => (data as string).length),
      [65_534, 32_767],
    );
  },

  'refuses a commit without events': async ({ log }) => {
    await assertRejects(append(log, commitOf('c1', [])));
    await assertNothingStored(log);
  },

  'keeps names that start with "$" for the system': async ({ log }) => {
    await assertEventRefused(log, { stream: '$log' }, '"$"');
    await assertEventRefused(log, { type: '$erased' }, '"$"');
    await assertEventRefused(log, { tags: ['fine', '$tag'] }, '"$"');
    await assertCommitRefused(log, commitOf('$c1', ['a-1']), '"$"');
    await assertNothingStored(log);
    await append(log, commitOf('c$1', [], { events: [eventOf({ stream: 'a$', type: 'A$', tags: ['t$'] })] }));
  },

  'refuses names that are empty, too long or hold control characters': async ({ log }) => {
    for (const name of ['', 'x'.repeat(513), 'a\u0000b', 'a\nb', 'a\ud83d']) {
      await assertEventRefused(log, { stream: name }, 'stream id');
      await assertEventRefused(log, { type: name }, 'event type');
      await assertEventRefused(log, { tags: [name] }, 'tag');
      await assertCommitRefused(log, commitOf(name, ['a-1']), 'command id');
      await assertCommitRefused(log, commitOf('c1', ['a-1'], { correlationId: name }), 'correlation id');
      await assertCommitRefused(log, commitOf('c1', ['a-1'], { causationId: name }), 'causation id');
    }
    await assertNothingStored(log);
    await append(
      log,
      commitOf('c'.repeat(256), [], {
        correlationId: 'r'.repeat(512),
        events: [eventOf({ stream: 's'.repeat(512), type: 'T'.repeat(256), tags: ['t'.repeat(256)] })],
      }),
    );
  },

  'refuses more than 32 tags, and versions and times that are no whole numbers': async ({ log }) => {
    const tags = Array.from({ length: 33 }, (_, index) => `t${index}`);
    await assertEventRefused(log, { tags }, '33 tags');
    for (const version of [0, -1, 1.5, 65_536, Number.NaN]) await assertEventRefused(log, { version }, 'version');
    for (const recordedAt of [0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await assertCommitRefused(log, commitOf('c1', ['a-1'], { recordedAt }), 'time');
    }
    await assertNothingStored(log);
    await append(log, commitOf('c1', [], { events: [eventOf({ tags: tags.slice(1) })] }));
  },

  'lets a write go on after an append that was refused': async ({ log }) => {
    const refused = commitOf('c2', [], { events: [eventOf(), eventOf({ data: undefined })] });
    await log.write(async (transaction) => {
      await transaction.append(commitOf('c1', ['a-1']));
      assertEqual(typeof (await failureOf(transaction.append(refused))), 'object', 'an append of undefined');
      assertEqual([transaction.head, await transaction.revisions(['a-1'])], [1, [0]]);
      assertEqual(await transaction.findCommit('c2'), undefined);
      await transaction.append(commitOf('c3', ['a-1']));
    });
    assertEqual(
      (await readAll(log)).map(({ id, position, revision }) => [id, position, revision]),
      [
        ['c1.0', 1, 0],
        ['c3.0', 2, 1],
      ],
    );
  },
};

/** Refuses the event also where a good one stands before it in the commit. */
function assertEventRefused(log: EventLog, change: Partial<StreamEvent>, named: string): Promise<void> {
  return assertCommitRefused(log, commitOf('refused', [], { events: [eventOf(), eventOf(change)] }), named);
}

async function assertCommitRefused(log: EventLog, commit: NewCommit, named: string): Promise<void> {
  const failure = await failureOf(append(log, commit));
  if (typeof failure === 'string') {
    throw new Error(`expected "storage.event-refused" with a text that holds ${named}, but ${failure}`);
  }
  assertEqual(failure.type, 'storage.event-refused', `the failure for ${named}`);
  if (failure.text?.includes(named) === true) return;
  throw new Error(`expected the text of the failure to name ${named}, but it is: ${failure.text}`);
}

async function assertNothingStored(log: EventLog): Promise<void> {
  assertEqual(await log.head(), 0, 'the head after refused appends');
  assertEqual(await readAll(log), [], 'the events after refused appends');
  assertEqual(await log.revisions(['a-1']), [-1], 'the revision of "a-1" after refused appends');
}
