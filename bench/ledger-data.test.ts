import { describe, expect, it } from 'vitest';
import { createBookings, createLedgerFile, type LedgerEvent } from './ledger-data.ts';

const size = { seed: 1, count: 2_000, accounts: 1_000 };

describe('the ledger’s data', () => {
  it('is the same for the same seed, and another for another', async () => {
    const first = await createLedgerFile(size).file.text();
    expect(await createLedgerFile(size).file.text()).toBe(first);
    expect(await createLedgerFile({ ...size, seed: 2 }).file.text()).not.toBe(first);
  });

  it('starts with the same bookings whatever its length', () => {
    const short = [...createBookings({ ...size, count: 10 })];
    expect([...createBookings(size)].slice(0, 10)).toEqual(short);
  });

  it('has ids of 128 bits, each once', () => {
    const ids = [...createBookings(size)].map(({ id }) => id);
    expect(new Set(ids).size).toBe(size.count);
    expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
  });

  it('has events of about 250 bytes, dense in position and revision', async () => {
    const { file, summary } = createLedgerFile(size);
    const events = (await file.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as LedgerEvent);
    expect(events.map(({ position }) => position)).toEqual(Array.from({ length: size.count }, (_, index) => index + 1));
    const ofOne = events.filter(({ stream }) => stream === events[0]?.stream);
    expect(ofOne.map(({ revision }) => revision)).toEqual(ofOne.map((_, index) => index));
    expect(file.size / size.count).toBeGreaterThan(220);
    expect(file.size / size.count).toBeLessThan(280);
    const total = events.reduce((sum, { type, data }) => sum + (type === 'Deposited' ? 1 : -1) * data.amount, 0);
    expect(summary.total).toBe(total);
    expect(summary.newest).toContain(events.at(-1)?.data.note);
  });

  it('gives every stream the same length where there are many', () => {
    const counts = new Map<string, number>();
    for (const { account } of createBookings({ seed: 1, count: 20_000, accounts: 2_000 })) {
      counts.set(account, (counts.get(account) ?? 0) + 1);
    }
    expect(new Set(counts.values())).toEqual(new Set([10]));
    expect(counts.size).toBe(2_000);
  });
});
