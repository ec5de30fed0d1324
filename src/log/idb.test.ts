import 'fake-indexeddb/auto';
import { describeIdb } from './idb.contract.ts';

describeIdb();
