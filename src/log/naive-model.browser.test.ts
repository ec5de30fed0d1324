import { describeModel } from './naive-model.contract.ts';

describeModel({ runs: 6, steps: 40, seed: 2 });
