import { noHash } from '../protocol/sync-commit.ts';
import type { SyncBase } from '../protocol/sync-messages.ts';
import type { SyncRecord } from './log-order.ts';

/** Rebases whose forks are kept: an opening that missed more of them begins anew. */
const maxForks = 16;

/** Of a log that has just become a synchronised one: its whole history is pending. */
export const newSyncRecord: SyncRecord = Object.freeze({
  base: Object.freeze({ epoch: '', g: 0, oh: noHash }),
  rebases: 0,
  setBacks: 0,
  forks: [],
});

export function addFork(sync: SyncRecord, fork: number): SyncRecord {
  return { ...sync, rebases: sync.rebases + 1, forks: [...sync.forks, fork].slice(-maxForks) };
}

/** With another base. One that lies before goes with a fork there. */
export function withBase(sync: SyncRecord, base: SyncBase): SyncRecord {
  return { ...sync, base, setBacks: sync.setBacks + (base.g < sync.base.g ? 1 : 0) };
}

export function isSameBase(left: SyncBase, right: SyncBase): boolean {
  return left.g === right.g && left.oh === right.oh && left.epoch === right.epoch;
}
