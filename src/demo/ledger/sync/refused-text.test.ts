import type { RefusedCommit } from 'varve/client';
import { describe, expect, it } from 'vitest';
import { toRefusedText } from './refused-text.ts';

type Events = RefusedCommit['commit']['events'];

function textOf(...events: readonly Omit<Events[number], 'version'>[]): string {
  const commit = {
    logId: 'log',
    commandId: 'c',
    correlationId: 'c',
    client: 'me',
    clientSeq: 1,
    prev: '',
    recordedAt: new Date(2026, 0, 1, 9, 5).getTime(),
    events: events.map((event) => ({ ...event, version: 1 })),
  };
  return toRefusedText(commit, (id) => (id === 'S-01' ? 'Ada' : undefined));
}

describe('what was refused', () => {
  it('is told by what it had booked, and for whom', () => {
    const withdrawn = { type: 'Withdrawn', stream: 'account-S-01', data: { amount: 40_000 } };
    const deposited = { type: 'Deposited', stream: 'account-S-02', data: { amount: 40_000 } };
    expect(textOf(withdrawn)).toBe('Withdrawal of 400.00, Ada (S-01), at 09:05.');
    expect(textOf(withdrawn, deposited)).toBe('Transfer of 400.00 from Ada (S-01) to S-02, at 09:05.');
    expect(textOf({ type: 'Opened', stream: 'account-N-1', data: { owner: 'Ben' } })).toBe(
      'Opening of Ben (N-1), at 09:05.',
    );
    expect(textOf({ type: 'Archived', stream: 'account-S-01', data: {} })).toBe('Archiving of Ada (S-01), at 09:05.');
  });

  it('is counted where it is many', () => {
    const line = { type: 'Deposited', stream: 'account-S-01', data: { amount: 1 } };
    expect(textOf(...Array.from({ length: 1200 }, () => line))).toBe('1,200 entries, at 09:05.');
  });
});
