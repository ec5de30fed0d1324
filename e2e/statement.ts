import { gzipSync } from 'node:zlib';

/** A statement in the bank's format and what its accounts hold in the end, added up apart from the product. */
export interface GeneratedStatement {
  readonly text: string;
  readonly gzip: Buffer;
  readonly balances: Readonly<Record<string, number>>;
}

/** The same statement for the same arguments: a linear congruential generator (Numerical Recipes' constants). */
export function generateStatement(lines: number, accounts: number, seed = 7): GeneratedStatement {
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const balances: Record<string, number> = {};
  const rows = ['"trans_id";"account_id";"date";"type";"operation";"amount";"balance";"k_symbol";"bank";"account"'];
  for (let index = 0; index < lines; index += 1) {
    const account = `${100 + (index < accounts ? index : random(accounts))}`;
    const isCredit = random(3) > 0;
    const hellers = 1 + random(500_000);
    balances[account] = (balances[account] ?? 0) + (isCredit ? hellers : -hellers);
    const day = `${93 + Math.floor(index / lines)}${String(1 + Math.floor((index * 12) / lines)).padStart(2, '0')}01`;
    const amount = `${Math.floor(hellers / 100)}.${String(hellers % 100).padStart(2, '0')}`;
    rows.push(`${index};${account};${day};"${isCredit ? 'PRIJEM' : 'VYDAJ'}";"VKLAD";${amount};0.00;"";;`);
  }
  const text = `${rows.join('\n')}\n`;
  return { text, gzip: gzipSync(text), balances };
}
