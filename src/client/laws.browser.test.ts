import { openDexieEventLog } from '../log/dexie-event-log.ts';
import { describeLaws } from './laws.contract.ts';

describeLaws({
  createStorage: async () => {
    const name = `laws-${crypto.randomUUID()}`;
    const env = { now: () => Date.now(), newId: () => crypto.randomUUID() };
    return () => openDexieEventLog({ name, env, hint: undefined });
  },
  runs: 10,
  seed: 2,
});
