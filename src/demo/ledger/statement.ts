import Papa from 'papaparse';
import { parseCrowns } from './money.ts';

/** One booked line of a bank statement. */
export interface StatementLine {
  readonly account: string;
  readonly kind: 'credit' | 'debit';
  /** Hellers. */
  readonly amount: number;
  readonly date: string;
  readonly note: string;
}

/** What is wrong with a line; lines are counted from 1, the header is line 1. */
export interface LineProblem {
  readonly line: number;
  readonly text: string;
}

export interface Statement {
  readonly lines: readonly StatementLine[];
  readonly problems: readonly LineProblem[];
}

const wantedColumns = ['account_id', 'date', 'type', 'amount'] as const;
type Column = (typeof wantedColumns)[number] | 'operation' | 'k_symbol';

/**
 * Reads a transactions file: `;` between fields, a header with at least `account_id`, `date`, `type` and `amount`.
 *
 * `date` is YYMMDD (19…) or YYYY-MM-DD; `type` is PRIJEM (credit), VYDAJ or VYBER (debit); `amount` is in crowns with at
 * most two decimals. Every malformed line is a problem; who imports takes all lines or none.
 */
export function parseStatement(text: string): Statement {
  const { data: rows } = Papa.parse<string[]>(text, { delimiter: ';', skipEmptyLines: false });
  const header = (rows[0] ?? []).map((name) => name.trim());
  const missing = wantedColumns.filter((name) => !header.includes(name));
  if (missing.length > 0) {
    const found = header.filter(Boolean).join(', ') || 'nothing';
    return { lines: [], problems: [{ line: 1, text: `The header lacks ${missing.join(', ')}; it has ${found}.` }] };
  }
  const place = (column: Column) => header.indexOf(column);
  const places = { account: place('account_id'), date: place('date'), type: place('type'), amount: place('amount') };
  const [operationPlace, symbolPlace] = [place('operation'), place('k_symbol')];
  const lines: StatementLine[] = [];
  const problems: LineProblem[] = [];
  for (const [index, row] of rows.entries()) {
    const isBlank = row.length === 1 && row[0]?.trim() === '';
    if (index === 0 || isBlank) continue;
    const field = (at: number) => row[at]?.trim() ?? '';
    const problem = (what: string) => problems.push({ line: index + 1, text: what });
    const account = field(places.account);
    const date = parseDate(field(places.date));
    const kind = kinds[field(places.type)];
    const amount = parseCrowns(field(places.amount));
    if (row.length !== header.length) problem(`has ${row.length} fields where the header has ${header.length}`);
    else if (!/^[\w.-]{1,40}$/.test(account)) problem(`account_id "${account}" is not an account number`);
    else if (date === undefined) problem(`date "${field(places.date)}" is neither YYMMDD nor YYYY-MM-DD`);
    else if (kind === undefined) problem(`type "${field(places.type)}" is none of ${Object.keys(kinds).join(', ')}`);
    else if (amount === undefined)
      problem(`amount "${field(places.amount)}" is not a positive number with two decimals`);
    else {
      const words = [operationPlace, symbolPlace].map((at) => (at < 0 ? '' : field(at))).filter(Boolean);
      const note = words
        .map((word) => wordings[word] ?? word)
        .join(', ')
        .slice(0, 200);
      lines.push({ account, kind, amount, date, note });
    }
  }
  return { lines, problems };
}

const kinds: Record<string, 'credit' | 'debit'> = { PRIJEM: 'credit', VYDAJ: 'debit', VYBER: 'debit' };

/** What the bank's own words mean. */
const wordings: Record<string, string> = {
  VKLAD: 'Cash in',
  VYBER: 'Cash out',
  'VYBER KARTOU': 'Card',
  'PREVOD Z UCTU': 'Transfer in',
  'PREVOD NA UCET': 'Transfer out',
  UROK: 'Interest',
  'SANKC. UROK': 'Overdraft interest',
  SLUZBY: 'Fees',
  SIPO: 'Household',
  POJISTNE: 'Insurance',
  UVER: 'Loan',
  DUCHOD: 'Pension',
};

function parseDate(text: string): string | undefined {
  const short = /^(\d\d)(\d\d)(\d\d)$/.exec(text);
  const iso = short === null ? text : `19${short[1]}-${short[2]}-${short[3]}`;
  if (!/^\d{4}-\d\d-\d\d$/.test(iso)) return undefined;
  const time = Date.parse(`${iso}T00:00:00Z`);
  // Date.parse rolls the 31st of April over into May: it must come out as it went in.
  return Number.isNaN(time) || !new Date(time).toISOString().startsWith(iso) ? undefined : iso;
}
