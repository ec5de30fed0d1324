import { describeTampering } from './tamper.contract.ts';

describeTampering(60, 2);
