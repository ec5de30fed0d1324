import 'fake-indexeddb/auto';
import { describeLostValues } from './lost-values.contract.ts';

describeLostValues();
