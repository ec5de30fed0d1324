import type { SyncPlace } from './sync-messages.ts';

/** The epoch of a base is told, not compared. */
export function isSamePlace(one: SyncPlace, other: SyncPlace): boolean {
  return one.g === other.g && one.oh === other.oh;
}
