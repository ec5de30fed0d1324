import type { SyncStatus } from 'varve/client';

/** How sync is doing, as the page says it. */
export interface SyncText {
  /** Stands in the header: a word or two. */
  readonly label: string;
  /** Follows the label where there is room. */
  readonly more?: string;
  readonly tone: 'good' | 'busy' | 'calm';
  /** A sentence or two, for who asks. */
  readonly text: string;
  /** Milliseconds since 1970, where something is in the way. */
  readonly nextTryAt?: number;
}

/** Where there is none, nothing that is said of sync means anything. */
export function hasServer(sync: SyncStatus | undefined): sync is SyncStatus {
  return sync !== undefined && sync.problem?.code !== 'NO_SERVER';
}

export function toSyncText(sync: SyncStatus): SyncText {
  const { phase, pending, nextWakeAt: nextTryAt, problem = { code: '', text: '' } } = sync;
  const count = pending.toLocaleString('en');
  const waiting = `${count} waiting`;
  switch (phase) {
    case 'starting':
    case 'syncing':
      if (pending > 0) return { label: `Sending ${count}…`, tone: 'busy', text: 'Sync is at work.' };
      // A look that is made every minute is nothing to show.
      if (sync.syncedAt !== undefined) return synced;
      return { label: 'Syncing…', tone: 'busy', text: 'Sync is at work.' };
    case 'synced':
      if (pending === 0) return synced;
      return { label: waiting, tone: 'busy', text: 'What is new will be sent in a moment.' };
    case 'elsewhere': {
      if (sync.problem !== undefined) return toSyncText({ ...sync, phase: 'waiting' });
      const text = 'Another tab of this ledger does the syncing.';
      if (pending === 0) return { label: 'Synced', more: 'by another tab', tone: 'good', text };
      return { label: waiting, tone: 'busy', text };
    }
    case 'waiting': {
      const { code } = problem;
      if (!hasServer(sync)) {
        return { label: 'Local only', tone: 'calm', text: `${problem.text} What you save stays on this device.` };
      }
      const isOffline = unreachable.includes(code);
      const text = isOffline ? 'The server cannot be reached. All that you do is saved on this device.' : problem.text;
      const why = isOffline ? 'Offline' : 'Not synced';
      if (pending === 0) return { label: why, tone: 'busy', text, nextTryAt };
      return { label: waiting, more: `· ${why.toLowerCase()}`, tone: 'busy', text, nextTryAt };
    }
    case 'paused':
      return { label: 'Sync paused', tone: 'busy', text: problem.text, nextTryAt };
  }
}

const unreachable: readonly string[] = ['OFFLINE', 'UNAVAILABLE', 'TIMEOUT'];

const synced: SyncText = {
  label: 'Synced',
  tone: 'good',
  text: 'This device and the server have the same entries.',
};
