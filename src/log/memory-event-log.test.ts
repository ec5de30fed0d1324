import { describe, it } from 'vitest';
import { eventLogConformance } from '../testing/event-log-conformance.ts';
import { createMemoryEventLog } from './memory-event-log.ts';

describe('the event log in memory', () => {
  const factory = async () => {
    const log = createMemoryEventLog();
    return { log, open: async () => log.open() };
  };
  for (const { name, run } of eventLogConformance(factory)) it(name, run);
});
