import { checkWorld } from './check-world.ts';
import { type Plan, users } from './plan.ts';
import { createTrace, type Trace } from './trace.ts';
import type { Counts, Violation } from './violation.ts';
import { createWorld, type Device, logId, type World } from './world.ts';

export interface RunResult extends Counts {
  readonly seed: number;
  readonly messages: number;
  /** On the server, in the end. */
  readonly commits: number;
  /** Commits that a device has kept with the reason why the server, or the domain, has not. */
  readonly refused: number;
  /** Commits that nobody had any more after a roll-back or a restore: nothing can bring them back. */
  readonly gone: number;
  /** Between the end of all faults and the time when everything rested. */
  readonly restMs: number;
  readonly hash: number;
  readonly violations: readonly Violation[];
}

/** Longest time, of the simulated clock, that it may take to come to rest. */
const patienceMs = 3 * 3_600_000;
const lookMs = 5_000;

/** One run from its plan to its verdict: the same for the same plan. */
export async function runPlan(plan: Plan, trace: Trace = createTrace()): Promise<RunResult> {
  const world = createWorld(plan, trace);
  const { scheduler, violations } = world;
  const noteBug = (error: unknown) => {
    violations.push({ invariant: 'bug', text: error instanceof Error ? String(error.stack) : String(error) });
  };
  process.on('unhandledRejection', noteBug);
  try {
    const start = scheduler.now;
    for (const step of plan.steps) {
      await scheduler.advance(start + step.at);
      await world.do(step);
    }
    await scheduler.advance(start + plan.chaosMs);
    world.heal();
    const healedAt = scheduler.now;
    const unrest = await waitForRest(world);
    const restMs = scheduler.now - healedAt;
    const isBroken = unrest !== undefined;
    if (isBroken) violations.push({ invariant: 'quiescent', text: unrest });
    const { violations: found, refused } = await checkWorld(world);
    // What has not come to rest is behind: that says nothing more.
    violations.push(
      ...(isBroken ? found.filter(({ invariant }) => invariant !== 'diverged' && invariant !== 'lost') : found),
    );
    const log = await world.store.findLog(logId);
    trace.note(() => JSON.stringify(log));
    return {
      seed: plan.seed,
      ...world.counts,
      messages: world.network.messages,
      commits: world.store.snapshot().logs[0]?.commits.length ?? 0,
      refused,
      gone: world.gone.size,
      restMs,
      hash: trace.hash,
      violations,
    };
  } finally {
    world.end();
    process.off('unhandledRejection', noteBug);
  }
}

/** @returns what does not rest, where it takes too long. */
async function waitForRest(world: World): Promise<string | undefined> {
  const { scheduler, devices } = world;
  const end = scheduler.now + patienceMs;
  for (let rounds = 1; ; rounds += 1) {
    await scheduler.advance(scheduler.now + lookMs);
    const restless: string[] = [];
    for (const device of devices) {
      const why = await whyRestless(world, device);
      if (why === undefined) continue;
      restless.push(`${device.name} ${why}`);
      // Somebody else saved what is pending: it waits for them to sign in.
      if (rounds % 60 === 0 && why.includes('pending')) {
        world.signIn(device, users[device.user === users[0] ? 1 : 0]);
      }
    }
    if (restless.length === 0) return undefined;
    if (scheduler.now >= end) return `it did not come to rest: ${restless.join('; ')}`;
  }
}

async function whyRestless({ scheduler, store }: World, { tabs }: Device): Promise<string | undefined> {
  const head = (await store.findLog(logId))?.head;
  const [tab] = tabs;
  const state = await tab?.host?.readState();
  if (state === undefined) return 'does not sync';
  const { base, pending, orphans } = state;
  const progresses = tabs.flatMap(({ progress }) => progress ?? []);
  const said = `it says ${JSON.stringify(progresses)}`;
  if (pending + orphans > 0) return `has ${pending} pending and ${orphans} orphans; ${said}`;
  if (base.g !== head?.g || base.oh !== head.oh) return `is at ${base.g} of ${head?.g}; ${said}`;
  if (!progresses.some(({ phase }) => phase === 'synced')) return `has come to rest, and ${said}`;
  const late = progresses.find(
    ({ nextWakeAt }) => !(nextWakeAt >= scheduler.now && nextWakeAt < scheduler.now + patienceMs),
  );
  return late && `will look again at ${late.nextWakeAt}, and it is ${scheduler.now}`;
}
