import { describe, it } from 'vitest';
import { eventLogConformance } from '../testing/event-log-conformance.ts';
import { createMemoryEventLog } from './memory-event-log.ts';
import { describeSyncedLog } from './synced-log.contract.ts';

const factory = async () => {
  const log = createMemoryEventLog();
  return { log, open: async () => log.open() };
};

describe('the event log in memory', () => {
  for (const { name, run } of eventLogConformance(factory)) it(name, run);
});

describeSyncedLog('the event log in memory that is synchronised', factory);
