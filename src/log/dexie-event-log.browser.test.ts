import { describeDexieEventLog } from './dexie-event-log.contract.ts';

describeDexieEventLog();
