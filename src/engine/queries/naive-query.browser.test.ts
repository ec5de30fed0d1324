import { describeQueries } from './naive-query.contract.ts';

describeQueries({ runs: 15, steps: 60, seed: 2 });
