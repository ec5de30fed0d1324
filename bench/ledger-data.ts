// The events that every contestant gets: the same ones for the same seed, on every machine.

/** What a page sends: one booking. `id` names the command, and the event where a contestant has one id for both. */
export interface Booking {
  readonly id: string;
  readonly account: string;
  readonly type: 'Deposited' | 'Withdrawn';
  /** Hellers. */
  readonly amount: number;
  readonly note: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A booking as a full event: a line of the file that the hand-written contestants import, about 250 bytes. */
export interface LedgerEvent {
  readonly position: number;
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
  readonly type: Booking['type'];
  readonly version: number;
  readonly data: { readonly amount: number; readonly note: string };
  readonly recordedAt: number;
}

export interface LedgerSize {
  readonly seed: number;
  readonly count: number;
  readonly accounts: number;
}

/** What a page that shows a whole ledger must show. */
export interface LedgerSummary {
  readonly total: number;
  /** The line of the newest event; empty where there is none. */
  readonly newest: string;
}

const firstMs = Date.UTC(2024, 0, 1);

const payees = [
  'Groceries, Novak & sons',
  'Rent and services',
  'Salary, Vltava Mills',
  'Electricity, advance payment',
  'Cash machine, Main Square',
  'Insurance, household',
  'Tram and train, monthly pass',
  'Savings, standing order',
];

/**
 * Bookings, one after the other.
 *
 * Ids hold 128 bits that no compressor can shorten. Accounts are drawn at random where there are up to 1,000 of them;
 * of more, each gets its turn, so that every stream has the same length.
 */
export function* createBookings({ seed, count, accounts }: LedgerSize): Generator<Booking> {
  const random = createRandom(seed);
  const mixedSeed = Math.imul(seed, 0x9e3779b1);
  for (let index = 0; index < count; index += 1) {
    // With the seed mixed in: two seeds may meet in the generator's one cycle, and their ids must still differ.
    const words = [random() ^ mixedSeed, random(), random(), random()];
    const id = words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
    const account = accounts <= 1_000 ? random() % accounts : (index * 7_919) % accounts;
    const payee = payees[random() % payees.length] ?? '';
    yield {
      id,
      account: `${account}`,
      // More comes in than goes out: no account falls without end.
      type: random() % 5 < 3 ? 'Deposited' : 'Withdrawn',
      amount: 100 + (random() % 250_000),
      note: `${payee}, ref. ${String(random() % 10_000_000_000).padStart(10, '0')}`,
      at: firstMs + index * 1_000 + (random() % 1_000),
    };
  }
}

/** The file that the hand-written contestants import: one full event per line. */
export function createLedgerFile(size: LedgerSize): { readonly file: Blob; readonly summary: LedgerSummary } {
  // Parts are handed to the browser as they are made: a million lines are too long for one page's heap.
  const parts: Blob[] = [];
  const revisionByStream = new Map<string, number>();
  let lines: string[] = [];
  let total = 0;
  let newest = '';
  let position = 0;
  for (const booking of createBookings(size)) {
    position += 1;
    const stream = `account-${booking.account}`;
    const revision = (revisionByStream.get(stream) ?? -1) + 1;
    revisionByStream.set(stream, revision);
    const event = bookingToEvent(booking, position, revision);
    total += bookingToChange(event.type, event.data.amount);
    newest = eventToLine(event);
    lines.push(JSON.stringify(event));
    if (lines.length === 10_000) {
      parts.push(new Blob([`${lines.join('\n')}\n`]));
      lines = [];
    }
  }
  if (lines.length > 0) parts.push(new Blob([`${lines.join('\n')}\n`]));
  return { file: new Blob(parts), summary: { total, newest } };
}

export function bookingToEvent(booking: Booking, position: number, revision: number): LedgerEvent {
  const { id, account, type, amount, note, at } = booking;
  const data = { amount, note };
  return { position, id, stream: `account-${account}`, revision, type, version: 1, data, recordedAt: at };
}

/** What an event adds to its account's balance. */
export function bookingToChange(type: string, amount: number): number {
  return type === 'Deposited' ? amount : -amount;
}

/** An event as a line of the feed. */
export function eventToLine({ stream, type, data }: Pick<LedgerEvent, 'stream' | 'type' | 'data'>): string {
  return `${stream} ${type} ${data.amount} ${data.note}`;
}

/** mulberry32: 32 random bits per call, the same ones for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
