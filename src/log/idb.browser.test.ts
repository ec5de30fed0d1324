import { describeIdb } from './idb.contract.ts';

describeIdb();
