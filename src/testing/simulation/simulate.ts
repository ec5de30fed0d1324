/** What `scripts/simulate.mjs` bundles and runs. */
export { planRun, printPlan } from './plan.ts';
export { runPlan } from './run-plan.ts';
export { shrinkPlan } from './shrink.ts';
export { createTrace } from './trace.ts';
