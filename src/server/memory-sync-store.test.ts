import { createMemorySyncStore } from './memory-sync-store.ts';
import { describeSyncStore } from './sync-store.contract.ts';

describeSyncStore('memory', { open: async () => createMemorySyncStore() });
