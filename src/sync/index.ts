/** Sync: keeps the log of a worker in step with a server. */

export type { Sync } from '../protocol/sync-host.ts';
export { type HttpSyncOptions, httpSync } from './http-sync.ts';
export { type OfferedCommit, type OfferResult, type PushSyncOptions, pushSync } from './push-sync.ts';
export type { Token } from './tokens.ts';
export {
  type Principal,
  type SyncCall,
  SyncRefusal,
  type SyncRefusalCode,
  type SyncRefusalDetail,
  type SyncTransport,
} from './transport.ts';
export { transportSync } from './transport-sync.ts';
