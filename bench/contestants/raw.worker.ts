import { hostStore } from './host-store.ts';
import { openRawStore } from './raw-store.ts';

hostStore('raw-ledger', openRawStore());
