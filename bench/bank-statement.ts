import type { Booking } from './ledger-data.ts';

/**
 * Reads the real bank transactions: `;` between fields, quotes around some, none of them inside a field.
 *
 * Everything in the file has happened, so it is taken as it stands.
 */
export function parseBankStatement(text: string): Booking[] {
  const bookings: Booking[] = [];
  let start = text.indexOf('\n') + 1;
  while (start < text.length) {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found;
    const fields = text.slice(start, end).replaceAll('"', '').split(';');
    start = end + 1;
    const [id, account, date = '', type, operation = '', crowns, , symbol = ''] = fields;
    if (id === undefined || account === undefined) continue;
    bookings.push({
      id,
      account,
      type: type === 'PRIJEM' ? 'Deposited' : 'Withdrawn',
      amount: Math.round(Number(crowns) * 100),
      note: `${operation} ${symbol}`.trim(),
      at: Date.UTC(1900 + Number(date.slice(0, 2)), Number(date.slice(2, 4)) - 1, Number(date.slice(4, 6))),
    });
  }
  return bookings;
}
