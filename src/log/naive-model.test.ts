import 'fake-indexeddb/auto';
import { describeModel } from './naive-model.contract.ts';

describeModel({
  runs: Number(process.env.VARVE_RUNS ?? 12),
  steps: Number(process.env.VARVE_STEPS ?? 40),
  seed: Number(process.env.VARVE_SEED ?? 1),
});
