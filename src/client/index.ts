export type { Client, ClientOptions } from './client.ts';
export { createClient } from './client.ts';
export type { WorkerLike } from './connection.ts';
export type { LiveQuery } from './live-query.ts';
export type { Mirror } from './mirror.ts';
export type { DecisionOptions, ExecuteOptions } from './outbox.ts';
export type { Receipts } from './receipts.ts';
export type { Status, StatusStore } from './status.ts';
export type { ImportOptions, ProgressListener } from './transfers.ts';
