// Runs seeds, each told of by a message, until it is asked to stop.
import { parentPort, workerData } from 'node:worker_threads';

const { bundle, first, step, runs } = workerData;
const { planRun, runPlan } = await import(bundle);

/** Every so manieth run is run again: it has to be the same. */
const checkEvery = 50;

/**
 * Two minutes, far more than any run takes: one that waits for what never comes would otherwise say nothing. In ticks,
 * for a machine that was put to sleep has not waited.
 */
const patience = { ticks: 120, tickMs: 1_000 };

for (let index = first; index < runs.count; index += step) {
  const seed = runs.seed + index;
  const plan = planRun(seed);
  let ticks = 0;
  const watchdog = setInterval(() => {
    ticks += 1;
    if (ticks > patience.ticks) throw new Error(`The run of seed ${seed} waits for something that never comes.`);
  }, patience.tickMs);
  const result = await runPlan(plan);
  if (index % checkEvery === 0) {
    const again = await runPlan(plan);
    if (again.hash !== result.hash) {
      result.violations.push({ invariant: 'determinism', text: `${result.hash} and ${again.hash}` });
    }
  }
  clearInterval(watchdog);
  parentPort.postMessage(result);
}
