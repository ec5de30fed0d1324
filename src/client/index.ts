export type { Client, ClientOptions, ExecuteOptions, ImportOptions, ProgressListener } from './client.ts';
export { createClient } from './client.ts';
export type { WorkerLike } from './connection.ts';
export type { Mirror } from './mirror.ts';
export type { Status, StatusStore } from './status.ts';
