import { describe, it } from 'vitest';
import { eventLogConformance } from '../testing/event-log-conformance.ts';
import { createMemoryEventLog } from './memory-event-log.ts';
import { describeSyncedLog } from './synced-log.contract.ts';
import { describeSyncedModel } from './synced-model.contract.ts';

const factory = async () => {
  const log = createMemoryEventLog();
  return { log, open: async () => log.open() };
};

describe('the event log in memory', () => {
  for (const { name, run } of eventLogConformance(factory)) it(name, run);
});

describeSyncedLog('the event log in memory that is synchronised', factory);
describeSyncedModel('the log in memory and a model of its order', factory, {
  seeds: [1, 2, 3, 4, 5, 6, 7, 8],
  steps: 60,
});
