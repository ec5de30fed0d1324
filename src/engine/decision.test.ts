import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { describeDecisions } from './decision.contract.ts';

describeDecisions(async () => {
  const log = createMemoryEventLog();
  return async () => log.open();
});
