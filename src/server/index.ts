/** The server of sync: a handler, the rules of who may do what, and where logs are kept. */
export type { SyncCommit } from '../protocol/sync-commit.ts';
export { type DumpSummary, dumpStore, restoreStore } from './dump-store.ts';
export { createMemorySyncStore } from './memory-sync-store.ts';
export { type NodeListener, type NodeMessage, type NodeResponse, toNodeListener } from './node-listener.ts';
export { openPgliteDatabase } from './pglite-database.ts';
export {
  type Actor,
  type Authenticate,
  allowAll,
  authenticateTokens,
  type CommitContext,
  type CommitPolicy,
  type CommitVerdict,
  type LogPolicy,
  type LogVerdict,
  type Policy,
} from './policy.ts';
export { openPostgresDatabase, type PostgresOptions } from './postgres-database.ts';
export type { ServerLimits } from './server-limits.ts';
export type { SqlDatabase } from './sql-database.ts';
export { openSqlSyncStore } from './sql-sync-store.ts';
export { createSyncHandler, type ServerLogEntry, type SyncHandlerOptions } from './sync-handler.ts';
export type { SyncStore } from './sync-store.ts';
