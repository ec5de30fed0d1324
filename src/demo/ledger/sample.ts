import { type Command, command } from 'varve';
import { Account } from './ledger.ts';

/** Sent with the sample, so that it is in the log once, however many tabs see the first start. */
export const sampleCommandId = 'ledger-sample-1';

const owners = 24;
const months = 12;

/**
 * A year of invented accounts, the same at every start: salaries, rent, groceries, the odd trip.
 *
 * Drawn from a small generator (mulberry32), so that there is no file to fetch and nothing of anybody's in it.
 */
export function sampleCommands(): readonly Command[] {
  const random = createRandom(1993);
  const lines: {
    readonly id: string;
    readonly date: string;
    readonly kind: 'credit' | 'debit';
    readonly crowns: number;
    readonly note: string;
  }[] = [];
  for (let owner = 1; owner <= owners; owner += 1) {
    const id = `S-${String(owner).padStart(2, '0')}`;
    const salary = 18_000 + Math.floor(random() * 30_000);
    for (let month = 1; month <= months; month += 1) {
      const day = (from: number, to: number) =>
        `2025-${String(month).padStart(2, '0')}-${String(from + Math.floor(random() * (to - from + 1))).padStart(2, '0')}`;
      lines.push({ id, date: day(1, 5), kind: 'credit', crowns: salary, note: 'Salary' });
      lines.push({ id, date: day(6, 8), kind: 'debit', crowns: Math.floor(salary * 0.3), note: 'Rent' });
      for (let week = 0; week < 4; week += 1) {
        const crowns = 400 + random() * 1800;
        lines.push({ id, date: day(9, 26), kind: 'debit', crowns, note: 'Groceries' });
      }
      if (random() < 0.3)
        lines.push({ id, date: day(10, 28), kind: 'debit', crowns: 1500 + random() * 9000, note: 'A trip' });
    }
  }
  lines.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
  return lines.map(({ id, date, kind, crowns, note }) =>
    command(Account, id, 'record', { kind, amount: Math.round(crowns * 100), date, note, sample: true }),
  );
}

function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
