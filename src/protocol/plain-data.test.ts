import { describe, expect, it } from 'vitest';
import { FailureError } from '../core/errors.ts';
import type { Receipt } from '../core/index.ts';
import { outdated, reset, toStorageFailure } from '../log/storage-error.ts';
import type { EngineMessage } from './engine-api.ts';

const failures = [
  outdated('bank', 'format 2'),
  reset('bank'),
  toStorageFailure(new DOMException('The current transaction exceeded its quota', 'QuotaExceededError'), 'bank'),
  toStorageFailure({ name: 'AbortError', message: '', inner: { name: 'QuotaExceededError', message: '' } }, 'bank'),
  toStorageFailure(new DOMException('Internal error opening backing store', 'UnknownError'), 'bank'),
  toStorageFailure(new DOMException('Connection to Indexed Database server lost', 'UnknownError'), 'bank'),
  toStorageFailure(null, 'bank'),
] as const;

describe('what crosses a boundary', () => {
  it.each(failures.map((failure) => [failure.type, failure] as const))(
    '%s survives structuredClone',
    (_type, failure) => {
      expect(structuredClone(failure)).toEqual(failure);
      expect(new FailureError(failure).failure).toBe(failure);
      expect(failure.text).toMatch(/bank/);
    },
  );

  it('sorts what browsers throw by what it means', () => {
    expect(failures.map(({ type }) => type)).toEqual([
      'storage.outdated',
      'storage.reset',
      'storage.quota-exceeded',
      'storage.quota-exceeded',
      'storage.unavailable',
      'storage.failed',
      'storage.failed',
    ]);
  });

  it('receipts and messages survive structuredClone', () => {
    const receipts: Receipt[] = [
      { status: 'saved', commandId: 'c', stream: 'a-1', revision: 0, position: 1, events: 1 },
      {
        status: 'rejected',
        commandId: 'c',
        command: 0,
        rejection: { kind: 'rejection', code: 'invalid-input', details: { issues: [{ path: 'a', message: 'b' }] } },
      },
      ...failures.map((failure): Receipt => ({ status: 'failed', commandId: 'c', failure })),
    ];
    const messages: EngineMessage[] = [
      { type: 'patch', from: 0, to: 1, changes: { counts: [{ key: 'a', row: null }] } },
      {
        type: 'snapshot',
        projection: 'counts',
        position: 1,
        isBehind: false,
        rows: [['a', { count: 1 }]],
        isFirst: true,
        isLast: true,
      },
      { type: 'progress', callId: 'c', done: 1, total: 2 },
      {
        type: 'report',
        projections: [{ projection: 'counts', lag: 0, quarantined: 0, errors: [], building: { done: 1, total: 2 } }],
        unreadable: [{ eventType: 'Counted', version: 2, count: 1, text: '' }],
        consumers: [
          {
            name: 'mail',
            kind: 'reactor',
            isRunning: true,
            position: 1,
            lag: 2,
            failure: { text: '', attempts: 1, nextAttemptAt: 5 },
          },
        ],
      },
    ];
    for (const value of [...receipts, ...messages]) expect(structuredClone(value)).toEqual(value);
  });
});
