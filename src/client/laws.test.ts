import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { describeLaws } from './laws.contract.ts';

describeLaws({
  createStorage: async () => {
    const memory = createMemoryEventLog({ logId: crypto.randomUUID() });
    // As slow as a disk: commands must wait for each other, or none would ever share a transaction.
    return async () => {
      const log = memory.open();
      return {
        ...log,
        write: async (work) => {
          await new Promise((resolve) => setTimeout(resolve, 1));
          return log.write(work);
        },
      };
    };
  },
  runs: Number(process.env.VARVE_RUNS ?? 30),
  seed: Number(process.env.VARVE_SEED ?? 1),
});
