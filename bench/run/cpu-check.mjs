/** How far the fixed task may differ before a cell counts as disturbed. */
const tolerance = 1.25;

/**
 * Tells whether something else used the machine: a fixed task of this process, timed before and after a cell, takes
 * longer then.
 */
export function createCpuCheck() {
  for (let warmUp = 0; warmUp < 5; warmUp += 1) timeTask();
  // The fastest of several: what the task takes when nothing disturbs it.
  let calmMs = Math.min(...Array.from({ length: 9 }, timeTask));
  return {
    /** Runs a cell; `disturbed` where the task before or after it differs from the other or from the calm one. */
    around: async (run) => {
      await pause();
      const before = timeTask();
      const result = await run();
      await pause();
      const after = timeTask();
      calmMs = Math.min(calmMs, before, after);
      return { result, disturbed: Math.max(before, after) > tolerance * calmMs };
    },
  };
}

/** A page that has just been opened or closed is the suite's own doing, and no disturbance. */
function pause() {
  return new Promise((resolve) => setTimeout(resolve, 50));
}

let sink = 0;

function timeTask() {
  const start = performance.now();
  let state = 1;
  for (let turn = 0; turn < 12_000_000; turn += 1) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
  // Used, so that the loop cannot be dropped.
  sink ^= state;
  return performance.now() - start + (sink === 0.5 ? 1 : 0);
}
