import type { EventLog } from '../../log/event-log.ts';
import { createMemoryEventLog, type MemoryEventLog } from '../../log/memory-event-log.ts';
import type { PushedCommit } from '../../protocol/sync-messages.ts';
import type { MemorySyncStore } from '../../server/memory-sync-store.ts';
import { httpSync } from '../../sync/http-sync.ts';
import { createRandom } from '../random.ts';
import { toRequest } from './bank.ts';
import { checkLook } from './check-look.ts';
import { createLocks, type Locks } from './locks.ts';
import { createNetwork, type Network } from './network.ts';
import { type DeviceStep, maxDevices, type Plan, type Step, users } from './plan.ts';
import { createScheduler, type Scheduler } from './scheduler.ts';
import { createSimulatedServer } from './simulated-server.ts';
import { openTab, type Tab } from './tab.ts';
import { createTrace, type Trace } from './trace.ts';
import type { Counts, Violation } from './violation.ts';

// Longer than other files: every fault moves the same few devices, and to read them beside each other is what it is for.

/** All that is simulated: one server, devices with their tabs, and what lies between. */
export interface World {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly devices: readonly Device[];
  readonly store: MemorySyncStore;
  /** What users were told is saved, in the order of telling. */
  readonly saved: readonly SavedCommit[];
  /** Ids that users gave, and who was signed in when they did. */
  readonly sent: ReadonlyMap<string, ReadonlySet<string>>;
  /** Commits that nobody had any more after a device was rolled back, or the server. */
  readonly gone: ReadonlySet<string>;
  /** Commits that the server had before it was restored: whoever has them brings them back as they are. */
  readonly lapsed: ReadonlySet<string>;
  /** Commits that were copied with their device: each copy may decide them again in its own way. */
  readonly copied: ReadonlySet<string>;
  readonly counts: Counts;
  readonly trace: Trace;
  readonly violations: Violation[];
  /** Begins a step; what a user asked for may take longer. */
  do(step: Step): Promise<void>;
  signIn(device: Device, user: string): void;
  /** Faults end: everybody is online, and every device has a tab. */
  heal(): void;
  /** Ends the server's event streams. */
  end(): void;
}

export interface Device {
  readonly name: string;
  readonly log: MemoryEventLog;
  readonly tabs: readonly Tab[];
  readonly user: string;
  readonly isRolledBack: boolean;
}

export interface SavedCommit {
  readonly commandId: string;
  readonly device: string;
  /** Grows with each roll-back: order holds between two of the same time. */
  readonly era: number;
  /** It was sent before, to a worker that ended: it may have been saved then. */
  readonly isRepeated: boolean;
}

interface OwnDevice extends Device {
  readonly index: number;
  log: MemoryEventLog;
  tabs: Tab[];
  user: string;
  isOnline: boolean;
  isRolledBack: boolean;
  era: number;
  /** Tabs that were ever opened. */
  opened: number;
  locks: Locks | undefined;
  backup?: MemoryEventLog;
  /** What a page has sent and not heard of: it sends it again to the next worker. */
  readonly unanswered: Map<string, Extract<Step, { readonly type: 'act' }>>;
}

export const logId = 'log-1';

const startAt = 1_700_000_000_000;

export function createWorld(plan: Plan, trace: Trace = createTrace()): World {
  const scheduler = createScheduler(startAt);
  let ids = 0;
  const newId = (kind: string) => {
    ids += 1;
    return `${kind}${ids}`;
  };
  const devices: OwnDevice[] = [];
  const saved: SavedCommit[] = [];
  const sent = new Map<string, Set<string>>();
  const gone = new Set<string>();
  const lapsed = new Set<string>();
  const copied = new Set<string>();
  const violations: Violation[] = [];
  const counts = { crashes: 0, clones: 0, rollbacks: 0, restores: 0, saved: 0, rejected: 0 };
  const server = createSimulatedServer({
    limits: plan.limits,
    now: () => scheduler.now,
    newEpoch: () => newId('epoch-'),
  });
  const network = createNetwork({
    scheduler,
    faults: plan.network,
    handle: async (request) => {
      const response = await server.handle(request);
      trace.note(() => `${scheduler.now} ${request.url} ${response.status}`);
      return response;
    },
  });

  const noteBug = (error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    violations.push({ invariant: 'bug', text });
  };

  function addDevice(log: MemoryEventLog, user: string): OwnDevice {
    const device: OwnDevice = {
      name: `device ${devices.length}`,
      index: devices.length,
      log,
      tabs: [],
      user,
      isOnline: true,
      isRolledBack: false,
      era: 0,
      opened: 0,
      locks: plan.hasLocks ? createLocks() : undefined,
      unanswered: new Map(),
    };
    devices.push(device);
    return device;
  }

  function open(device: OwnDevice): void {
    device.opened += 1;
    // Of its own: a step that is left out elsewhere changes nothing of what happens here.
    const random = createRandom(plan.seed + 7_919 * device.index + 104_729 * device.opened);
    const { log } = device;
    const opening = log.open();
    const tab: Tab = openTab({
      log: opening,
      env: {
        now: () => scheduler.now,
        newId: () => newId('id-'),
        callLater: scheduler.callLater,
        random,
      },
      locks: device.locks,
      createSync: (isAlive) =>
        httpSync({
          url: 'http://sync.test',
          token: () => device.user,
          principal: () => device.user,
          fetch: (address, init = {}) =>
            network.send({ random, isOnline: () => device.isOnline && isAlive() }, String(address), init),
        }),
      onEnd: () => {
        opening.close();
        device.tabs = device.tabs.filter((other) => other !== tab);
        trace.note(() => `${scheduler.now} ${device.name} lost a tab`);
        // Whoever closed the last one opens the app again.
        scheduler.callLater(() => {
          if (device.tabs.length === 0) open(device);
        }, 1_000);
      },
      onBug: noteBug,
    });
    device.tabs.push(tab);
    for (const step of device.unanswered.values()) void execute(device, tab, step);
  }

  async function execute(device: OwnDevice, tab: Tab, step: Extract<Step, { readonly type: 'act' }>): Promise<void> {
    const { id } = step;
    const { era } = device;
    const isRepeated = device.unanswered.has(id);
    device.unanswered.set(id, step);
    sent.set(id, (sent.get(id) ?? new Set()).add(device.user));
    try {
      const { receipt } = await tab.execute(toRequest(id, step.act));
      device.unanswered.delete(id);
      trace.note(() => `${scheduler.now} ${device.name} ${id} ${receipt.status}`);
      if (receipt.status === 'failed') noteBug(receipt.failure.text);
      if (receipt.status === 'rejected') counts.rejected += 1;
      if (receipt.status !== 'saved' || receipt.events === 0) return;
      counts.saved += 1;
      saved.push({ commandId: id, device: device.name, era, isRepeated });
    } catch (error) {
      noteBug(error);
    }
  }

  /** The commits that somebody has: the server, or any device, be it as an orphan or with the reason of its refusal. */
  async function findHeld(): Promise<ReadonlySet<string>> {
    const held = new Set(server.commandIds);
    for (const { log } of devices) for (const id of await readIds(log)) held.add(id);
    return held;
  }

  /** Whatever is nowhere after `work`, and was somewhere before, is gone for good. */
  async function lose(work: () => void): Promise<void> {
    const before = await findHeld();
    work();
    const after = await findHeld();
    for (const id of before) if (!after.has(id)) gone.add(id);
  }

  function noteCopied({ name }: Device): void {
    for (const { commandId, device } of saved) if (device === name) copied.add(commandId);
  }

  function endTabs(device: OwnDevice): void {
    for (const tab of device.tabs) tab.crash('now');
    device.unanswered.clear();
  }

  async function restoreServer(): Promise<void> {
    const before = server.commandIds;
    await lose(() => {
      if (!server.restore()) return;
      counts.restores += 1;
      const kept = new Set(server.commandIds);
      for (const id of before) if (!kept.has(id)) lapsed.add(id);
    });
  }

  async function perform(step: Step): Promise<void> {
    if (step.type === 'back-up-server') server.backUp();
    else if (step.type === 'restore-server') await restoreServer();
    else {
      const device = devices[step.device];
      if (device !== undefined) await performOn(device, step);
    }
  }

  async function performOn(device: OwnDevice, step: DeviceStep): Promise<void> {
    switch (step.type) {
      case 'act': {
        const tab = device.tabs[step.tab % Math.max(1, device.tabs.length)];
        return tab && void execute(device, tab, step);
      }
      case 'offline':
      case 'online':
        device.isOnline = step.type === 'online';
        return;
      case 'wake':
        for (const tab of device.tabs) {
          tab.rest();
          tab.wake();
        }
        return;
      case 'open-tab':
        if (device.tabs.length < 3) open(device);
        return;
      case 'close-tab':
        return device.tabs.at(-1)?.crash('now');
      case 'look':
        for (const tab of device.tabs) violations.push(...(await checkLook(device.name, tab)));
        return;
      case 'crash': {
        const tab = device.tabs[step.tab % Math.max(1, device.tabs.length)];
        if (tab === undefined) return;
        counts.crashes += 1;
        if (step.isWithPage) device.unanswered.clear();
        return tab.crash(step.when);
      }
      case 'sign-in':
        return signIn(device, step.user);
      case 'clone':
        if (devices.length >= maxDevices) return;
        counts.clones += 1;
        noteCopied(device);
        return open(addDevice(device.log.copy(), device.user));
      case 'back-up':
        device.backup = device.log.copy();
        return;
      case 'roll-back': {
        const { backup } = device;
        if (backup === undefined) return;
        counts.rollbacks += 1;
        noteCopied(device);
        return lose(() => {
          endTabs(device);
          device.log = backup.copy();
          device.isRolledBack = true;
          device.era += 1;
          open(device);
        });
      }
    }
  }

  function signIn(device: Device, user: string): void {
    const own = devices.find(({ name }) => name === device.name);
    if (own === undefined) return;
    own.user = user;
    for (const tab of own.tabs) tab.wake();
  }

  for (let index = 0; index < plan.devices; index += 1) {
    const log = createMemoryEventLog({ logId, client: newId('client-'), newClient: () => newId('client-') });
    open(addDevice(log, users[index % 2 === 0 ? 0 : 1]));
  }

  return {
    scheduler,
    network,
    devices,
    get store() {
      return server.store;
    },
    saved,
    sent,
    gone,
    lapsed,
    copied,
    counts,
    trace,
    violations,
    do: async (step) => {
      trace.note(() => `${scheduler.now} ${JSON.stringify(step)}`);
      await perform(step).catch(noteBug);
    },
    signIn,
    end: server.end,
    heal: () => {
      network.calm();
      for (const device of devices) {
        device.isOnline = true;
        if (device.tabs.length === 0) open(device);
        // Nobody wakes them: they find out by themselves.
        for (const tab of device.tabs) tab.crash(undefined);
      }
    },
  };
}

async function readIds(log: EventLog): Promise<readonly string[]> {
  const synced = await log.openSync();
  return synced.write(async ({ readAfter, beside }) => [
    ...(await readAfter(0)).map(({ commit }) => commit.commandId),
    ...(await beside.list('orphan')).map(([, value]) => (value as PushedCommit).commit.commandId),
    ...(await beside.list('refused')).map(([id]) => id),
  ]);
}
