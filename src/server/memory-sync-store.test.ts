import { describeLoad } from './load.contract.ts';
import { createMemorySyncStore } from './memory-sync-store.ts';
import { describeSyncStore } from './sync-store.contract.ts';

describeSyncStore('memory', { open: async () => createMemorySyncStore() });
describeLoad('memory', { open: async () => createMemorySyncStore() });
