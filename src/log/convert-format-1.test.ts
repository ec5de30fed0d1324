import 'fake-indexeddb/auto';
import { describeConvertFormat1 } from './convert-format-1.contract.ts';

describeConvertFormat1();
