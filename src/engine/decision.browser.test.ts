import { openDexieEventLog } from '../log/dexie-event-log.ts';
import { describeDecisions } from './decision.contract.ts';

describeDecisions(async () => {
  const name = `test-${crypto.randomUUID()}`;
  const env = { now: () => Date.now(), newId: () => crypto.randomUUID() };
  return () => openDexieEventLog({ name, env, hint: undefined });
});
