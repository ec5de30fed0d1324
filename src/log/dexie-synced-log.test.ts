import 'fake-indexeddb/auto';
import { describeDexieSyncedLog } from './dexie-synced-log.contract.ts';

describeDexieSyncedLog();
