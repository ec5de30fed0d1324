import fc from 'fast-check';
import { expect, it } from 'vitest';
import { defineEvents, type RecordedEvent } from '../../core/events.ts';
import { defineProjection, type RowChange } from '../../core/projection.ts';
import { shape } from '../../core/schema.ts';
import { recordCommit } from '../../log/record-commit.ts';
import { Balances } from '../../testing/fixtures/bank-app.ts';
import { createFold, type Page, type Rewound } from './fold.ts';

/** Commits of so many deposits each, from a position on. */
function commits(from: number, sizes: readonly number[]) {
  const revisions = new Map([['account-a', -1]]);
  let head = from - 1;
  return sizes.flatMap((size, index) => {
    const commandId = `c${from}.${index}`;
    const event = { stream: 'account-a', type: 'Deposited', version: 1, data: { amount: 1 } };
    const events = Array.from({ length: size }, () => event);
    const recorded = recordCommit({ commandId, correlationId: commandId, recordedAt: 0, events }, head, revisions);
    head += size;
    return recorded.events;
  });
}

const page = (events: Page['events'], settled: number): Page => {
  return { events, unreadable: [], to: events.at(-1)?.position ?? 0, settled };
};

it('saves rows as they were where a commit ended, also where very much is pending', () => {
  const fold = createFold(Balances);
  fold.apply(page(commits(1, [1]), 1), false);
  // Of each commit, this build of the app cannot read the first event.
  const pending = commits(
    2,
    Array.from({ length: 20_000 }, () => 4),
  );
  const readable = pending.filter(({ position }) => (position - 2) % 4 > 0);
  for (let start = 0; start < readable.length; start += 1_000) {
    fold.apply(page(readable.slice(start, start + 1_000), 1), false);
  }
  const { upTo, rows } = fold.save(true);
  expect(upTo).toBeGreaterThan(1);
  expect((upTo - 1) % 4).toBe(0);
  expect(rows).toEqual([['a', { balance: 1 + ((upTo - 1) / 4) * 3 }]]);
});

it('goes back to what a server has confirmed, also where it said before that it had confirmed more', () => {
  const fold = createFold(Balances);
  const events = commits(
    1,
    Array.from({ length: 10 }, () => 1),
  );
  fold.apply(page(events.slice(0, 5), 9), false);
  // The server was restored from a backup, while the rows were not as far.
  fold.rewind(7);
  fold.apply(page(events.slice(5), 7), false);
  expect(fold.save(true).upTo).toBe(7);
  expect(fold.rewind(7)).not.toBe(false);
  expect(fold.rows.get('a')).toEqual({ balance: 7 });
});

/** What becomes of an event: rows are set and deleted, its handler throws, or this build cannot read it. */
type Fate = readonly (readonly [key: string, row: { readonly n: number } | null])[] | 'throws' | 'unreadable';

const Happened = defineEvents({ Happened: shape<{ fate: Exclude<Fate, 'unreadable'> }>() });
const Outcomes = defineProjection('outcomes', {
  version: 1,
  from: [Happened],
  row: shape<{ readonly n: number }>(),
  project: ({ data: { fate } }) => {
    if (fate === 'throws') throw new Error('as drawn');
    return fate.map(([key, row]) => ({ key, row }));
  },
});

/** The fates of commits of one event each, from a position on. */
function fated(from: number, fates: readonly Fate[], settled: number): Page {
  const all = fates.map((fate, index) => {
    const position = from + index;
    const meta = { commandId: `c${position}`, correlationId: `c${position}`, recordedAt: 0 };
    const place = { id: `c${position}.0`, stream: 'a-1', revision: position - 1, position };
    return { ...place, type: 'Happened', version: 1, data: { fate }, meta };
  });
  const isUnreadable = ({ data }: (typeof all)[number]) => data.fate === 'unreadable';
  return {
    events: all.filter((event) => !isUnreadable(event)) as RecordedEvent[],
    unreadable: all
      .filter(isUnreadable)
      .map(({ position }) => ({ type: 'event.future', position, eventType: 'Later', version: 2, text: 'Newer.' })),
    to: from + fates.length - 1,
    settled,
  };
}

it('saves what it had left out where it is saved: of a pending event that throws, what stands before it', () => {
  const fold = createFold(Outcomes);
  fold.apply(fated(1, [[]], 1), false);
  fold.apply(fated(2, ['unreadable', 'throws'], 1), false);
  // The first of the two is confirmed.
  fold.apply(fated(4, [[]], 2), false);
  const { upTo, left } = fold.save(true);
  expect(upTo).toBe(2);
  expect(left).toMatchObject({ quarantined: 0, errors: [], unreadable: [{ eventType: 'Later', count: 1 }] });
});

it('is as one that begins anew, wherever it goes back to and is saved', () => {
  const row = fc.option(fc.record({ n: fc.nat(3) }));
  const fate = fc.oneof(
    { weight: 3, arbitrary: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), row), { maxLength: 3 }) },
    { weight: 2, arbitrary: fc.constantFrom<Fate>('throws', 'unreadable') },
  );
  const step = fc.record({
    fates: fc.array(fate, { minLength: 1, maxLength: 4 }),
    settles: fc.nat(3),
    /** Of what is pending, so much is taken back. */
    back: fc.option(fc.nat(10)),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const fold = createFold(Outcomes);
      const mirror = new Map<string, unknown>();
      const show = (changes: readonly RowChange[] = []) => {
        for (const { key, row: shown } of changes) {
          if (shown === null) mirror.delete(key);
          else mirror.set(key, shown);
        }
      };
      const anew = (to: number) => {
        const fresh = createFold(Outcomes);
        fresh.apply(fated(1, log.slice(0, to), to), false);
        return fresh;
      };
      let log: readonly Fate[] = [[]];
      let settled = 1;
      show(fold.apply(fated(1, log, settled), true));
      for (const { fates, settles, back } of steps) {
        const from = log.length + 1;
        settled = Math.min(log.length, settled + settles);
        log = [...log, ...fates];
        show(fold.apply(fated(from, fates, settled), true));
        if (back !== null) {
          log = log.slice(0, Math.max(settled, log.length - back));
          const { changes } = fold.rewind(log.length) as Rewound;
          if (changes === undefined) mirror.clear();
          show(changes ?? [...fold.rows].map(([key, shown]) => ({ key, row: shown })));
        }
        const fresh = anew(log.length);
        expect([...fold.rows]).toEqual([...fresh.rows]);
        expect([...mirror]).toEqual([...fresh.rows]);
        expect(fold.left).toEqual(fresh.left);
        const saved = fold.save(true);
        expect(saved).toEqual(anew(saved.upTo).save(true));
      }
    }),
  );
});
