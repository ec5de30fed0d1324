import type { Plan } from './plan.ts';

/** Leaves out of a plan whatever it fails without: first large parts, then step by step. */
export async function shrinkPlan(
  plan: Plan,
  fails: (candidate: Plan) => Promise<boolean>,
  maxRuns = 400,
): Promise<Plan> {
  let runs = 0;
  let smallest = plan;

  /** @returns whether it fails as well. */
  async function take(candidate: Plan): Promise<boolean> {
    runs += 1;
    if (runs > maxRuns || !(await fails(candidate))) return false;
    smallest = candidate;
    return true;
  }

  for (const simpler of simplify(plan)) await take({ ...smallest, ...simpler });
  for (let size = Math.ceil(plan.steps.length / 2); ; size = Math.ceil(size / 2)) {
    const before = smallest.steps.length;
    for (let start = 0; start < smallest.steps.length; ) {
      const { steps } = smallest;
      const rest = [...steps.slice(0, start), ...steps.slice(start + size)];
      if (!(await take({ ...smallest, steps: rest }))) start += size;
    }
    if (size === 1 && smallest.steps.length === before) return smallest;
  }
}

/** One after the other, each on top of those that were taken. */
function* simplify({ devices }: Plan): Generator<Partial<Plan>> {
  yield { network: { lost: 0, doubled: 0, late: 0, delayMs: 20 } };
  yield { hasLocks: true };
  yield { limits: { pushCommits: 256, pageEvents: 1_000 } };
  for (let fewer = devices - 1; fewer >= 1; fewer -= 1) yield { devices: fewer };
}
