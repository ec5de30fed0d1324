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
  const rows = readRows(text);
  const first = rows.next().value;
  if (first?.isTorn) return { lines: [], problems: [{ line: first.line, text: tornText }] };
  const header = (first?.fields ?? []).map((name) => name.trim());
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
  for (const { line, fields, isTorn } of rows) {
    const isBlank = fields.length === 1 && fields[0]?.trim() === '';
    if (isBlank) continue;
    const field = (at: number) => fields[at]?.trim() ?? '';
    const problem = (what: string) => problems.push({ line, text: what });
    const account = field(places.account);
    const date = parseDate(field(places.date));
    const kind = kinds.get(field(places.type));
    const amount = parseCrowns(field(places.amount));
    if (isTorn) problem(tornText);
    else if (fields.length !== header.length)
      problem(`has ${fields.length} fields where the header has ${header.length}`);
    else if (!/^[\w.-]{1,40}$/.test(account)) problem(`account_id "${account}" is not an account number`);
    else if (date === undefined) problem(`date "${field(places.date)}" is neither YYMMDD nor YYYY-MM-DD`);
    else if (kind === undefined) problem(`type "${field(places.type)}" is none of ${[...kinds.keys()].join(', ')}`);
    else if (amount === undefined)
      problem(`amount "${field(places.amount)}" is not a positive number with two decimals`);
    else {
      const words = [operationPlace, symbolPlace].map((at) => (at < 0 ? '' : field(at))).filter(Boolean);
      const note = words
        .map((word) => wordings.get(word) ?? word)
        .join(', ')
        .slice(0, 200);
      lines.push({ account, kind, amount, date, note });
    }
  }
  return { lines, problems };
}

interface Row {
  /** In which it begins. */
  readonly line: number;
  readonly fields: readonly string[];
  /** Its quotes leave open where it ends: what follows may belong to it, and what it holds to what follows. */
  readonly isTorn: boolean;
}

const tornText = 'has a quote that is not closed in this line, at the end of its field';

/** No field of a statement has two lines: one that does is a quote left open, up to the next one, wherever that is. */
function* readRows(text: string): Generator<Row, undefined> {
  // Told of the delimiter, and of no header, it finds fault with quotes only.
  const { data, errors, meta } = Papa.parse<string[]>(text, { delimiter: ';', skipEmptyLines: false });
  const misquoted = new Set(errors.map(({ row }) => row));
  let line = 1;
  for (const [index, fields] of data.entries()) {
    const lineCount = fields.join('').split(meta.linebreak).length;
    yield { line, fields, isTorn: lineCount > 1 || misquoted.has(index) };
    line += lineCount;
  }
}

const kinds = new Map<string, StatementLine['kind']>([
  ['PRIJEM', 'credit'],
  ['VYDAJ', 'debit'],
  ['VYBER', 'debit'],
]);

/** What the bank's own words mean. */
const wordings = new Map([
  ['VKLAD', 'Cash in'],
  ['VYBER', 'Cash out'],
  ['VYBER KARTOU', 'Card'],
  ['PREVOD Z UCTU', 'Transfer in'],
  ['PREVOD NA UCET', 'Transfer out'],
  ['UROK', 'Interest'],
  ['SANKC. UROK', 'Overdraft interest'],
  ['SLUZBY', 'Fees'],
  ['SIPO', 'Household'],
  ['POJISTNE', 'Insurance'],
  ['UVER', 'Loan'],
  ['DUCHOD', 'Pension'],
]);

function parseDate(text: string): string | undefined {
  const short = /^(\d\d)(\d\d)(\d\d)$/.exec(text);
  const iso = short === null ? text : `19${short[1]}-${short[2]}-${short[3]}`;
  if (!/^\d{4}-\d\d-\d\d$/.test(iso)) return undefined;
  const time = Date.parse(`${iso}T00:00:00Z`);
  // Date.parse rolls the 31st of April over into May: it must come out as it went in.
  return Number.isNaN(time) || !new Date(time).toISOString().startsWith(iso) ? undefined : iso;
}
