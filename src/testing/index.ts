export { createMemoryEventLog } from '../log/memory-event-log.ts';
export type { ConformanceCase, ConformanceLog, EventLogFactory } from './event-log-conformance.ts';
export { eventLogConformance } from './event-log-conformance.ts';
export type { InProcessWorkerOptions } from './in-process-worker.ts';
export { createInProcessWorker, createTestEnv } from './in-process-worker.ts';
export type { ProjectionSpec } from './projection-spec.ts';
export { projectionSpec } from './projection-spec.ts';
export type { Outcome, Spec, SpecOptions } from './spec.ts';
export { spec } from './spec.ts';
