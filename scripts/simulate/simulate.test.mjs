import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { root } from '../installed.mjs';
import { bundleSimulation, plantFault } from './bundle.mjs';
import { faults } from './faults.mjs';

const load = async (name, fault) => {
  const bundle = await bundleSimulation(join(root, '.artifacts/simulate-test', name), fault);
  return import(/* @vite-ignore */ pathToFileURL(bundle).href);
};
const { planRun, printPlan, runPlan, shrinkPlan, createTrace } = await load('sound');

describe('a simulation', () => {
  it('brings every device to the same log, whatever happens on the way', { timeout: 60_000 }, async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const plan = planRun(seed);
      const { violations } = await runPlan(plan);
      expect(violations, printPlan(plan)).toEqual([]);
    }
  });

  it('is the same run for the same seed', { timeout: 60_000 }, async () => {
    for (const seed of [3, 9, 11]) {
      const [first, second] = [createTrace(1_000), createTrace(1_000)];
      const one = await runPlan(planRun(seed), first);
      expect(await runPlan(planRun(seed), second)).toEqual(one);
      expect(second.lines).toEqual(first.lines);
      expect((await runPlan(planRun(seed + 1))).hash).not.toBe(one.hash);
    }
  });

  it('leaves out of a plan what it fails without', async () => {
    const plan = planRun(2);
    const act = plan.steps.find(({ type }) => type === 'act');
    const smallest = await shrinkPlan(plan, async ({ steps }) => steps.includes(act));
    expect(smallest.steps).toEqual([act]);
    expect(smallest.devices).toBe(1);
    expect(printPlan(smallest)).toContain(`act device ${act.device} tab ${act.tab} id ${act.id}`);
  });

  it.each(['partial commit', 'rebase without re-decide'])('finds a %s', { timeout: 60_000 }, async (name) => {
    const broken = await load(
      name.replaceAll(' ', '-'),
      faults.find((fault) => fault.name === name),
    );
    let violations = [];
    for (let seed = 1; seed <= 200 && violations.length === 0; seed += 1) {
      ({ violations } = await broken.runPlan(broken.planRun(seed)));
    }
    expect(violations.length).toBeGreaterThan(0);
  });

  it('has ten faults, each with its place in the sources', () => {
    expect(faults).toHaveLength(10);
    for (const fault of faults) expect(() => plantFault(fault)).not.toThrow();
    const lost = { name: 'lost', changes: [{ file: 'src/server/push-commits.ts', find: 'no such text', replace: '' }] };
    expect(() => plantFault(lost)).toThrow('finds its place 0 times');
  });
});
