import 'fake-indexeddb/auto';
import { describeFaultInjection } from './fault-injection.contract.ts';

describeFaultInjection(1, process.env.VARVE_FAULT);
