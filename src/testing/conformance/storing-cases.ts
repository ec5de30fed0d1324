import { assertEqual } from '../assert.ts';
import type { ConformanceCases } from './conformance-case.ts';
import { append, appendAll, positionsOf, readAll } from './log-access.ts';
import { commitOf, eventOf, range, recordedOf, sampleCommits } from './sample-commits.ts';

/** What is appended is what is read, with ids, positions and revisions that follow from it. */
export const storingCases: ConformanceCases = {
  'starts empty': async ({ log }) => {
    assertEqual(await log.head(), 0);
    assertEqual(await readAll(log), []);
    assertEqual(
      await log.write(async (transaction) => [transaction.head, await transaction.revisions(['a-1', 'a-2'])]),
      [0, [-1, -1]],
    );
  },

  'gives back what was appended, with everything around it': async ({ log }) => {
    const recorded = await append(log, commitOf('c1', ['a-1', 'a-1', 'a-2']));
    const meta = { commandId: 'c1', correlationId: 'c1', recordedAt: 1000 };
    const rest = { version: 1, meta };
    assertEqual(recorded, [
      { id: 'c1.0', stream: 'a-1', revision: 0, position: 1, type: 'Even', data: { index: 0 }, ...rest },
      { id: 'c1.1', stream: 'a-1', revision: 1, position: 2, type: 'Odd', data: { index: 1 }, ...rest },
      { id: 'c1.2', stream: 'a-2', revision: 0, position: 3, type: 'Even', data: { index: 2 }, ...rest },
    ]);
    assertEqual(await readAll(log), recorded);
  },

  'keeps positions and revisions without gaps over many commits': async ({ log }) => {
    for (const index of range(0, 19)) await append(log, commitOf(`c${index}`, [`a-${index % 3}`, 'b-1']));
    const events = await readAll(log);
    assertEqual(positionsOf(events), range(1, 40));
    assertEqual(
      events.filter(({ stream }) => stream === 'b-1').map(({ revision }) => revision),
      range(0, 19),
    );
    assertEqual(await log.head(), 40);
  },

  'keeps positions and revisions without gaps with three writers at once': async ({ log, open }) => {
    const writers = [log, await open(), await open()];
    const commits = (writer: number) =>
      range(1, 20).map((index) => commitOf(`w${writer}-${index}`, ['shared', `own-${writer}`, 'shared']));
    await Promise.all(
      writers.map(async (writer, number) => {
        for (const commit of commits(number)) await append(writer, commit);
      }),
    );
    const events = await readAll(log);
    assertEqual(positionsOf(events), range(1, 180));
    for (const [stream, last] of [['shared', 119] as const, ...range(0, 2).map((own) => [`own-${own}`, 19] as const)]) {
      const revisions = events.filter((event) => event.stream === stream).map(({ revision }) => revision);
      assertEqual(revisions, range(0, last), `revisions of "${stream}"`);
    }
    for (const writer of writers) assertEqual(await readAll(writer), events);
  },

  'gives back hundreds of commits of mixed sizes as they were': async ({ log }) => {
    const commits = sampleCommits(300);
    await appendAll(log, commits);
    assertEqual(await readAll(log), recordedOf(commits));
  },

  'keeps texts, numbers and nesting as they were': async ({ log }) => {
    const payloads: unknown[] = [
      { list: [0.1, -5, 1e-7, 5e-324, 2 ** 53 - 1, null, true, { deep: [[]] }], text: 'Žluťoučký kůň 🐎 "\\' },
      { lines: 'one\ntwo\r\nthree\tfour\u2028five\u2029six\u0000seven', '': 'no key', 'ž "': {} },
      'only a text',
      '',
      0,
      null,
      [],
      false,
    ];
    const events = payloads.map((data) => eventOf({ stream: 'a-ä.ö', version: 3, data }));
    const recorded = await append(log, commitOf('c1', [], { events }));
    assertEqual(
      recorded.map(({ data }) => data),
      payloads,
    );
    assertEqual(await readAll(log), recorded);
  },

  'gives a payload the same order of keys when it is appended and when it is read': async ({ log }) => {
    const data = { b: { 10: 1, 2: 2, a: 3 }, a: [{ z: 1, y: 2 }], Z: 1 };
    const [appended] = await append(log, commitOf('c1', [], { events: [eventOf({ data })] }));
    const [read] = await readAll(log);
    const [again] = await log.write((transaction) => transaction.readStream('a-1', 0));
    // Whole numbers come first in every object of JavaScript, in their order; the other keys by UTF-16 code units.
    const text = '{"Z":1,"a":[{"y":2,"z":1}],"b":{"2":2,"10":1,"a":3}}';
    for (const event of [appended, read, again]) assertEqual(JSON.stringify(event?.data), text);
  },

  'keeps correlation, causation and times, also of clocks that jump': async ({ log }) => {
    const times = [1_700_000_000_000, 1_600_000_000_000, 0, -1, 4_900_000_000_000, 1_700_000_000_001];
    const commits = times.map((recordedAt, index) =>
      commitOf(`c${index}`, ['a-1', 'a-2'], {
        recordedAt,
        ...(index % 2 === 0 ? { correlationId: 'root' } : {}),
        ...(index % 3 === 0 ? { causationId: 'cause' } : {}),
      }),
    );
    await appendAll(log, commits);
    assertEqual(await readAll(log), recordedOf(commits));
  },

  'keeps tags sorted, each once, and leaves them out where there are none': async ({ log }) => {
    const tags = [['b', 'a', 'b'], [], ['owner:2', 'owner:10', 'Owner:1'], undefined, ['b']];
    const events = tags.map((list) => eventOf(list === undefined ? {} : { tags: list }));
    const recorded = await append(log, commitOf('c1', [], { events }));
    assertEqual(
      recorded.map((event) => event.tags),
      [['a', 'b'], undefined, ['Owner:1', 'owner:10', 'owner:2'], undefined, ['b']],
    );
    assertEqual(
      recorded.map((event) => 'tags' in event),
      [true, false, true, false, true],
    );
    assertEqual(await readAll(log), recorded);
  },

  'keeps two versions of one type apart': async ({ log }) => {
    const versions = [1, 2, 1, 65_535];
    await append(log, commitOf('c1', [], { events: versions.map((version) => eventOf({ version })) }));
    await append(log, commitOf('c2', [], { events: [...versions].reverse().map((version) => eventOf({ version })) }));
    const found = await readAll(log, { types: ['Noted'] });
    assertEqual(
      found.map(({ version }) => version),
      [...versions, ...[...versions].reverse()],
    );
  },

  'keeps names apart that look alike': async ({ log }) => {
    const names = [
      ...['a-1', 'a-10', 'A-1', 'a-1 ', 'a.1', 'a'],
      // One letter as one character and as two; names that every object of JavaScript knows.
      ...['\u00e9', 'e\u0301', '__proto__', 'constructor', 'toString', 'length', '1', '01'],
      ...['0123456789abcdef0123456789abcdef', '0123456789ABCDEF0123456789ABCDEF', '0123456789abcdef0123456789abcdef0'],
    ];
    const commits = names.flatMap((name) => [
      commitOf(`1${name}`, [], { events: [eventOf({ stream: name, type: name, tags: [name] })] }),
      commitOf(name, [], { events: [eventOf({ stream: name, type: name, tags: [name] })], correlationId: `1${name}` }),
    ]);
    await appendAll(log, commits);
    const all = recordedOf(commits);
    assertEqual(await readAll(log), all);
    for (const name of names) {
      const ofName = all.filter(({ stream }) => stream === name);
      for (const query of [{ stream: name }, { types: [name] }, { tags: [name] }]) {
        assertEqual(await readAll(log, query), ofName, JSON.stringify(query));
      }
    }
    await log.write(async (transaction) => {
      for (const { commandId } of commits) {
        const expected = all.filter(({ meta }) => meta.commandId === commandId);
        assertEqual(await transaction.findCommit(commandId), expected, `commit "${commandId}"`);
      }
      assertEqual(
        await transaction.revisions(names),
        names.map(() => 1),
      );
    });
    assertEqual(await log.revisions(['a-', 'a-100', 'E\u0301', 'valueOf']), [-1, -1, -1, -1]);
  },

  'keeps a long commit whole and in order': async ({ log }) => {
    await append(log, commitOf('before', ['a-3', 'b-1']));
    const streams = range(0, 2999).map((index) => `a-${index % 7}`);
    const recorded = await append(log, commitOf('long', streams));
    await append(log, commitOf('after', ['a-3', 'b-1']));
    assertEqual(positionsOf(recorded), range(3, 3002));
    assertEqual((await readAll(log)).slice(2, 3002), recorded);
    await log.write(async (transaction) => {
      assertEqual(await transaction.findCommit('long'), recorded);
      const tail = await transaction.readStream('a-3', 400);
      assertEqual(
        tail.map(({ revision }) => revision),
        range(400, 430),
      );
    });
    const ofStream = await readAll(log, { stream: 'a-3' });
    assertEqual(
      ofStream.map(({ revision }) => revision),
      range(0, 430),
    );
  },

  'keeps a commit of 70,000 events whole': async ({ log }) => {
    const events = range(0, 69_999).map((index) => eventOf({ stream: `a-${index % 3}`, data: index }));
    await append(log, commitOf('huge', [], { events }));
    await append(log, commitOf('after', ['a-0']));
    assertEqual(await log.head(), 70_001);
    assertEqual(await log.revisions(['a-0', 'a-1', 'a-2']), [23_334, 23_332, 23_332]);
    let position = 0;
    for await (const page of log.read({ to: 70_000 })) {
      for (const event of page) {
        const { id, stream, revision, data } = event;
        const index = position;
        position += 1;
        if (event.position === position && data === index && stream === `a-${index % 3}` && id === `huge.${index}`) {
          if (revision === Math.floor(index / 3)) continue;
        }
        assertEqual(
          { ...event },
          { ...eventOf(), data: index, position, stream: `a-${index % 3}`, id: `huge.${index}` },
        );
      }
    }
    assertEqual(position, 70_000, 'events read of the commit of 70,000');
  },

  'is found as it was when opened again': async ({ log, open }) => {
    const commits = sampleCommits(60, 3);
    await appendAll(log, commits);
    log.close();
    const again = await open();
    assertEqual(again.logId, log.logId);
    assertEqual(await readAll(again), recordedOf(commits));
    const [next] = await append(again, commitOf('next', ['account-1']));
    const before = recordedOf(commits).filter(({ stream }) => stream === 'account-1');
    assertEqual([next?.position, next?.revision], [recordedOf(commits).length + 1, before.length]);
  },

  'is not changed by who changes what was appended or read': async ({ log }) => {
    const data = { list: [1] };
    const commit = commitOf('c1', [], { events: [eventOf({ data, tags: ['a'] })] });
    const recorded = await append(log, commit);
    const stored = recordedOf([commitOf('c1', [], { events: [eventOf({ data: { list: [1] }, tags: ['a'] })] })]);
    const changeAll = (event: unknown) => {
      const mutable = event as { data: { list: number[] }; tags: string[]; stream: string };
      attempt(() => mutable.data.list.push(2));
      attempt(() => mutable.tags.push('b'));
      attempt(() => {
        mutable.stream = 'other';
      });
    };
    attempt(() => data.list.push(3));
    for (const event of recorded) changeAll(event);
    assertEqual(await readAll(log), stored, 'after a change of what append returned');
    for (const event of await readAll(log)) changeAll(event);
    assertEqual(await readAll(log), stored, 'after a change of what read returned');
    const found = await log.write((transaction) => transaction.findCommit('c1'));
    for (const event of found ?? []) changeAll(event);
    assertEqual(await readAll(log), stored, 'after a change of what findCommit returned');
  },
};

/** What is frozen refuses: that is as good as a copy. */
function attempt(change: () => void): void {
  try {
    change();
  } catch {
    return;
  }
}
