import { expect, it } from 'vitest';
import { recordCommit } from '../../log/record-commit.ts';
import { Balances } from '../../testing/fixtures/bank-app.ts';
import { createFold, type Page } from './fold.ts';

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
