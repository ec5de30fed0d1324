import { createRandom } from '../random.ts';
import type { Act } from './bank.ts';

/** A run before it is run, as plain data: what is left out of it did not happen. */
export interface Plan {
  readonly seed: number;
  readonly devices: number;
  readonly network: NetworkFaults;
  /** Whether tabs of a device wait for each other, as with Web Locks; else each of them syncs. */
  readonly hasLocks: boolean;
  /** Small limits have every page and every push end somewhere else. */
  readonly limits: PlanLimits;
  /** When faults end. */
  readonly chaosMs: number;
  readonly steps: readonly Step[];
}

export interface NetworkFaults {
  /** Of messages, each way. */
  readonly lost: number;
  readonly doubled: number;
  /** Of those that are much later than others. */
  readonly late: number;
  readonly delayMs: number;
}

export interface PlanLimits {
  readonly pushCommits: number;
  readonly pageEvents: number;
}

export type Step =
  | DeviceStep
  | { readonly at: number; readonly type: 'back-up-server' }
  | { readonly at: number; readonly type: 'restore-server' };

/** Left out where there is no such device. */
export type DeviceStep = { readonly at: number; readonly device: number } & (
  | { readonly type: 'act'; readonly tab: number; readonly id: string; readonly act: Act }
  | { readonly type: 'offline' | 'online' | 'wake' | 'open-tab' | 'close-tab' | 'look' }
  /** The worker ends: now, or around the next time that it writes. */
  | { readonly type: 'crash'; readonly tab: number; readonly when: CrashTime; readonly isWithPage: boolean }
  | { readonly type: 'sign-in'; readonly user: string }
  | { readonly type: 'clone' | 'back-up' | 'roll-back' }
);

export type CrashTime = 'now' | 'before-write' | 'after-write';

export const users = ['ada', 'bob'] as const;

/** How many devices there are at most, clones included. */
export const maxDevices = 8;

export function planRun(seed: number): Plan {
  const random = createRandom(seed);
  const below = (end: number) => Math.floor(random() * end);
  const oneOf = <Value>(values: readonly [Value, ...Value[]]): Value => values[below(values.length)] as Value;
  const chance = (share: number) => random() < share;

  const devices = 2 + below(4);
  const chaosMs = 1_000 * (30 + below(150));
  const isCalm = chance(0.1);
  const network: NetworkFaults = isCalm
    ? { lost: 0, doubled: 0, late: 0, delayMs: 20 }
    : { lost: 0.3 * random(), doubled: 0.2 * random(), late: 0.1 * random(), delayMs: 20 + below(400) };
  const accounts = 1 + below(3);
  const poison = chance(0.5) ? 0.06 : 0;
  const steps: Step[] = [];
  const any = () => below(chance(0.3) ? maxDevices : devices);
  const at = () => below(chaosMs);
  const times = (count: number, add: () => void) => {
    for (let index = 0; index < count; index += 1) add();
  };

  const toAct = (): Act => {
    const account = below(accounts);
    const amount = 1 + below(30);
    const poisoned = chance(poison) ? ({ isPoison: true } as const) : {};
    const dice = random();
    if (dice < 0.3) return { type: 'deposit', account, amount, ...poisoned };
    if (dice < 0.5) return { type: 'withdraw', account, amount, ...poisoned };
    if (dice < 0.56) return { type: 'empty', account, piece: 1 + below(20) };
    if (dice < 0.7 && accounts > 1) return { type: 'transfer', account, to: (account + 1) % accounts, amount };
    if (dice < 0.86) {
      const values = Array.from({ length: 1 + below(4) }, () => below(100));
      return { type: 'measure', meter: below(2), values, ...poisoned };
    }
    return { type: 'take', room: below(2), guest: below(3) };
  };
  let ids = 0;
  const addAct = (device: number, time: number, act: Act = toAct()) => {
    ids += 1;
    steps.push({ at: time, type: 'act', device, tab: below(2), id: `c${ids}`, act });
  };
  times(6 + below(40), () => addAct(any(), at()));
  // Many at once, on one device: what is pending is then a chain.
  times(below(3), () => {
    const [device, time] = [any(), at()];
    times(2 + below(6), () => addAct(device, time + below(2_000)));
  });

  // Many devices take what is there in the same moment: it moves between their last pull and their push.
  times(below(5), () => {
    const [time, account] = [at(), below(accounts)];
    times(2 + below(3), () => addAct(any(), time + below(100), { type: 'empty', account, piece: 1 + below(20) }));
  });

  const addCrash = () => {
    const when = oneOf(['now', 'before-write', 'after-write'] as const);
    steps.push({ at: at(), type: 'crash', device: any(), tab: below(2), when, isWithPage: chance(0.4) });
  };
  const addRange = (device: number, first: 'open-tab' | 'back-up', last: 'close-tab' | 'roll-back') => {
    const from = at();
    steps.push({ at: from, type: first, device });
    steps.push({ at: from + below(chaosMs - from), type: last, device });
  };
  const addOffline = () => {
    const [device, from] = [any(), at()];
    steps.push({ at: from, type: 'offline', device });
    // Some stay away until the end; and not everybody hears that the network is back.
    if (chance(0.4)) return;
    const end = from + below(chaosMs - from);
    steps.push({ at: end, type: 'online', device });
    if (chance(0.5)) steps.push({ at: end, type: 'wake', device });
  };
  if (!isCalm) times(below(7), addOffline);
  if (chance(0.6)) times(below(6), addCrash);
  times(below(3), () => addRange(any(), 'open-tab', 'close-tab'));
  times(below(5), () => steps.push({ at: at(), type: 'wake', device: any() }));
  times(below(4), () => steps.push({ at: at(), type: 'look', device: any() }));
  if (chance(0.3)) {
    times(1 + below(4), () => steps.push({ at: at(), type: 'sign-in', device: any(), user: oneOf(users) }));
  }
  const addClones = (count: number) =>
    times(count, () => {
      const [device, from] = [below(devices), at()];
      steps.push({ at: from, type: 'clone', device });
      // Copies that save in the same moment take the same number.
      times(below(4), () => {
        const time = from + below(chaosMs - from);
        for (const one of [device, devices + below(count)]) addAct(one, time + below(100));
      });
    });
  if (chance(0.4)) addClones(1 + below(3));
  if (chance(0.25)) times(1 + below(2), () => addRange(below(devices), 'back-up', 'roll-back'));
  if (chance(0.4)) {
    times(1 + below(2), () => {
      const from = at();
      const end = from + below(chaosMs - from);
      steps.push({ at: from, type: 'back-up-server' }, { at: end, type: 'restore-server' });
      // What it has just taken, and nobody else has seen.
      times(below(6), () => addAct(any(), Math.max(0, end - below(1_500))));
    });
  }
  return {
    seed,
    devices,
    network,
    hasLocks: chance(0.5),
    limits: { pushCommits: oneOf([1, 2, 3, 5, 256] as const), pageEvents: oneOf([1, 3, 7, 20, 1_000] as const) },
    chaosMs,
    // Stable: what was planned first happens first where two fall on the same time.
    steps: steps.sort((a, b) => a.at - b.at),
  };
}

/** One line for each step, for people. */
export function printPlan({ seed, devices, network, hasLocks, limits, chaosMs, steps }: Plan): string {
  const { lost, doubled, late, delayMs } = network;
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  return [
    `seed ${seed}: ${devices} devices, ${hasLocks ? 'with' : 'without'} locks between tabs`,
    `network: ${percent(lost)} lost, ${percent(doubled)} doubled, ${percent(late)} late, others within ${delayMs} ms`,
    `limits: ${limits.pushCommits} commits a push, ${limits.pageEvents} events a page; faults end at ${chaosMs} ms`,
    ...steps.map(
      ({ at, type, ...rest }) => `${String(at).padStart(7)} ${type} ${Object.entries(rest).map(toText).join(' ')}`,
    ),
  ].join('\n');
}

function toText([name, value]: [string, unknown]): string {
  if (typeof value !== 'object' || value === null) return `${name} ${value}`;
  return Object.entries(value).map(toText).join(' ');
}
