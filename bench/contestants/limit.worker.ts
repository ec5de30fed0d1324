import { hostStore } from './host-store.ts';
import { openLimitStore } from './limit-store.ts';

hostStore('limit-ledger', openLimitStore());
