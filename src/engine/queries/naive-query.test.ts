import { describeQueries } from './naive-query.contract.ts';

describeQueries({
  runs: Number(process.env.VARVE_RUNS ?? 60),
  steps: Number(process.env.VARVE_STEPS ?? 60),
  seed: Number(process.env.VARVE_SEED ?? 1),
});
