import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createUndoJournal } from './undo-journal.ts';

type Change = readonly [key: string, row: number | null];

const change: fc.Arbitrary<Change> = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.option(fc.nat(9), { nil: null }));

/** An event that is a commit. */
const alone = (position: number) => ({ position, commitStart: position });

/** Applies changes, one per position from 1 on, and keeps the rows as they were after each. */
function play(changes: readonly Change[], settled: number) {
  const journal = createUndoJournal(0);
  const rows = new Map<string, unknown>();
  const history: (readonly (readonly [string, unknown])[])[] = [[]];
  for (const [index, [key, row]] of changes.entries()) {
    const position = index + 1;
    journal.note(alone(position), { key, row }, rows);
    if (row === null) rows.delete(key);
    else rows.set(key, row);
    history.push([...rows]);
    if (position <= settled) journal.settle(position);
  }
  return { journal, rows, history };
}

describe('the undo journal', () => {
  it('gives the rows as they were at any position that is not settled, in the order in which they stood', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), fc.nat(30), fc.nat(30), (changes, settled, back) => {
        const to = Math.max(Math.min(settled, changes.length), Math.min(back, changes.length));
        const { journal, rows, history } = play(changes, settled);
        const before = [...rows];
        expect([...journal.rowsAt(to, rows)]).toEqual(history[to]);
        expect([...rows]).toEqual(before);
        const elsewhere = new Map(rows);
        const undone = journal.undo(to, rows);
        expect([...rows]).toEqual(history[to]);
        // What the changes say, done elsewhere, gives the same: or they say that they cannot.
        for (const { key, row } of undone ?? []) {
          if (row === null) elsewhere.delete(key);
          else elsewhere.set(key, row);
        }
        if (undone !== undefined) expect([...elsewhere]).toEqual(history[to]);
      }),
      { numRuns: 500, seed: 3 },
    );
  });

  it('goes on after it was undone', () => {
    const { journal, rows } = play(
      [
        ['a', 1],
        ['b', 2],
        ['a', null],
      ],
      1,
    );
    journal.undo(1, rows);
    journal.note(alone(2), { key: 'a', row: 5 }, rows);
    rows.set('a', 5);
    expect(journal.undo(1, rows)).toEqual([{ key: 'a', row: 1 }]);
    expect(journal.since).toBe(1);
  });

  it('forgets the oldest of very many changes, and says from where on it knows', () => {
    const journal = createUndoJournal(0);
    const rows = new Map<string, unknown>();
    for (let position = 1; position <= 60_000; position += 1) journal.note(alone(position), { key: 'a', row: 1 }, rows);
    expect(journal.since).toBeGreaterThan(0);
    expect(journal.since).toBeLessThan(60_000);
  });

  it('forgets whole commits', () => {
    const journal = createUndoJournal(0);
    const note = (position: number, commitStart: number) =>
      journal.note({ position, commitStart }, { key: 'a', row: 1 }, new Map());
    for (let position = 1; position <= 60_000; position += 1) note(position, position - ((position - 1) % 7));
    expect(journal.since).toBeGreaterThan(0);
    expect(journal.since % 7).toBe(0);
    // One of more changes than are kept is forgotten once it has ended.
    for (let position = 60_001; position <= 160_000; position += 1) note(position, 60_001);
    expect(journal.since).toBeLessThanOrEqual(60_000);
    note(160_001, 160_001);
    expect(journal.since).toBe(160_000);
  });

  it('takes thousands of deletions back in one go', () => {
    const journal = createUndoJournal(0);
    const rows = new Map<string, unknown>(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, index]));
    const before = [...rows];
    for (const [index, [key]] of before.entries()) {
      if (index % 2 === 0) continue;
      journal.note(alone(index), { key, row: null }, rows);
      rows.delete(key);
    }
    const startedAt = performance.now();
    expect([...journal.rowsAt(0, rows)]).toEqual(before);
    expect(journal.undo(0, rows)).toBeUndefined();
    expect([...rows]).toEqual(before);
    // One by one it took 40 s.
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });
});
