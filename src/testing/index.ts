export { createMemoryEventLog } from '../log/memory-event-log.ts';
export type { ConformanceCase, ConformanceLog, EventLogFactory } from './event-log-conformance.ts';
export { eventLogConformance } from './event-log-conformance.ts';
export type { InProcessWorkerOptions } from './in-process-worker.ts';
export { createInProcessWorker, createTestEnv } from './in-process-worker.ts';
