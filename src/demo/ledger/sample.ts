import { type Command, type CommandInput, command } from 'varve';
import { Account } from './ledger.ts';

/** Sent with the sample, so that it is in the log once, however many tabs see the first start. */
export const sampleCommandId = 'ledger-sample-1';

const owners = [
  'Ada Novak',
  'Ben Okafor',
  'Clara Lind',
  'Dan Kowalski',
  'Elena Ruiz',
  'Farid Haddad',
  'Greta Moser',
  'Hugo Blanc',
  'Iva Dvorak',
  'Jonas Berg',
  'Kaori Sato',
  'Liam Byrne',
  'Mara Conti',
  'Nils Aalto',
  'Olga Petrova',
  'Pavel Horak',
  'Quinn Walsh',
  'Rosa Silva',
  'Sven Dahl',
  'Tara Mehta',
  'Uma Nair',
  'Viktor Szabo',
  'Wanda Zielak',
  'Yusuf Demir',
];
const months = 12;

type Line = CommandInput<typeof Account, 'record'> & { readonly id: string };

/**
 * A year of invented accounts, the same at every start: salaries, rent, groceries, the odd trip.
 *
 * Drawn from a small generator (mulberry32), so that there is no file to fetch and nothing of anybody's in it.
 */
export function sampleCommands(): readonly Command[] {
  const random = createRandom(1993);
  const ids = owners.map((_, index) => `S-${String(index + 1).padStart(2, '0')}`);
  const lines = ids.flatMap((id) => sampleYear(id, random));
  lines.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
  return [
    ...ids.map((id, index) => command(Account, id, 'open', { owner: owners[index] ?? id, sample: true })),
    ...lines.map(({ id, ...line }) => command(Account, id, 'record', line)),
  ];
}

function sampleYear(id: string, random: () => number): Line[] {
  const salary = 18_000 + Math.floor(random() * 30_000);
  const lines: Line[] = [];
  for (let month = 1; month <= months; month += 1) {
    const add = (kind: Line['kind'], crowns: number, note: string, firstDay: number, lastDay: number) => {
      const day = firstDay + Math.floor(random() * (lastDay - firstDay + 1));
      const date = `2025-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
      lines.push({ id, kind, amount: Math.round(crowns * 100), date, note });
    };
    add('credit', salary, 'Salary', 1, 5);
    add('debit', Math.floor(salary * 0.3), 'Rent', 6, 8);
    for (let week = 0; week < 4; week += 1) add('debit', 400 + random() * 1800, 'Groceries', 9, 26);
    if (random() < 0.3) add('debit', 1500 + random() * 9000, 'A trip', 10, 28);
  }
  return lines;
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
