import { describeFaultInjection } from './fault-injection.contract.ts';

describeFaultInjection(9);
