import type { SyncStatus } from 'varve/client';
import { describe, expect, it } from 'vitest';
import { hasServer, toSyncText } from './sync-text.ts';

const status: SyncStatus = {
  phase: 'synced',
  pending: 0,
  pushed: 0,
  confirmed: 9,
  refused: 0,
  nextWakeAt: 60_000,
  syncedAt: 1,
};
const offline = { code: 'OFFLINE', text: 'Failed to fetch.' };

function labelOf(change: Partial<SyncStatus>): string {
  const { label, more } = toSyncText({ ...status, ...change });
  return more === undefined ? label : `${label} ${more}`;
}

describe('what is said of sync', () => {
  it('is calm while nothing waits, whoever does the work', () => {
    expect(labelOf({})).toBe('Synced');
    expect(labelOf({ phase: 'syncing' })).toBe('Synced');
    expect(labelOf({ phase: 'elsewhere' })).toBe('Synced by another tab');
  });

  it('counts what waits', () => {
    expect(labelOf({ pending: 2 })).toBe('2 waiting');
    expect(labelOf({ pending: 1200, phase: 'syncing' })).toBe('Sending 1,200…');
    expect(labelOf({ pending: 2, phase: 'elsewhere' })).toBe('2 waiting');
    expect(labelOf({ pending: 2, phase: 'waiting', problem: offline })).toBe('2 waiting · offline');
  });

  it('tells what is in the way, and when it is tried again', () => {
    expect(toSyncText({ ...status, phase: 'waiting', problem: offline })).toEqual({
      label: 'Offline',
      tone: 'busy',
      text: 'The server cannot be reached. All that you do is saved on this device.',
      nextTryAt: 60_000,
    });
    // Whoever does the work.
    expect(labelOf({ phase: 'elsewhere', pending: 2, problem: offline })).toBe('2 waiting · offline');
    const problem = { code: 'AUTH', text: 'Sign in again.' };
    expect(toSyncText({ ...status, phase: 'paused', problem })).toMatchObject({
      label: 'Sync paused',
      text: 'Sign in again.',
    });
  });

  it('is no alarm where there is no server', () => {
    const sync: SyncStatus = { ...status, phase: 'waiting', pending: 3, problem: { code: 'NO_SERVER', text: 'None.' } };
    expect(hasServer(sync)).toBe(false);
    expect(toSyncText(sync)).toEqual({
      label: 'Local only',
      tone: 'calm',
      text: 'None. What you save stays on this device.',
    });
  });
});
