import { describeLostValues } from './lost-values.contract.ts';

describeLostValues();
