import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createClient } from '../../client/client.ts';
import { createMemoryEventLog } from '../../log/memory-event-log.ts';
import type { Sync, SyncProgress } from '../../protocol/sync-host.ts';
import { bankApp } from '../../testing/fixtures/bank-app.ts';
import { createInProcessWorker } from '../../testing/in-process-worker.ts';
import { createOncePerBrowser } from './once-per-browser.ts';

type Held = () => Promise<void>;
interface LockOptions {
  readonly signal?: AbortSignal;
  readonly steal?: boolean;
}

/** One Web Lock, as a browser gives it: who is robbed fails at once, whatever it still does. */
function stubLocks(): void {
  let rob = () => {};
  let free = Promise.resolve();
  const hold = (work: Held) =>
    new Promise<void>((resolve, reject) => {
      rob = () => reject(new DOMException("Lock broken by another request with the 'steal' option.", 'AbortError'));
      work().then(resolve, reject);
    });
  const request = async (_name: string, ...given: readonly [Held] | readonly [LockOptions, Held]) => {
    const [{ signal, steal = false }, work] = given.length === 1 ? [{} as LockOptions, given[0]] : given;
    if (steal) rob();
    const before = steal ? Promise.resolve() : free;
    const aborted = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
    let release = () => {};
    free = new Promise((resolve) => {
      release = resolve;
    });
    try {
      await Promise.race([before, aborted]);
      await hold(work);
    } finally {
      void before.then(release);
    }
  };
  vi.stubGlobal('navigator', { locks: { request } });
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
}

/** Messages between channels take turns of the event loop. */
async function deliver(): Promise<void> {
  for (let turn = 0; turn < 25; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Goes on until it is told to end. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));

const deaf = { onWake: () => undefined, onTold: () => undefined };

describe('once per browser', () => {
  it('tells the other tabs, later ones too, how it goes in the one that syncs, and in no other', async () => {
    stubLocks();
    const stopping = new AbortController();
    const told = new Map<string, string | undefined>();
    const open = (name: 'one' | 'two' | 'late') =>
      createOncePerBrowser('log-1', { ...deaf, onTold: (progress) => told.set(name, progress?.phase) });
    const [one, two] = [open('one'), open('two')];
    const running = [one, two].map((tab) => tab.exclusively(untilAborted, stopping.signal));
    await deliver();
    one.tell({ phase: 'waiting', nextWakeAt: 1 });
    two.tell({ phase: 'paused', nextWakeAt: 1 });
    await deliver();
    expect([...told]).toEqual([['two', 'waiting']]);
    const late = open('late');
    await deliver();
    expect(told.get('late')).toBe('waiting');
    stopping.abort();
    await Promise.allSettled(running);
    for (const tab of [one, two, late]) tab.close();
  });

  it('wakes the other tabs: the one that syncs, and one that has left its place to pause', async () => {
    stubLocks();
    const stopping = new AbortController();
    const woken: string[] = [];
    const [one, two, three] = ['one', 'two', 'three'].map((name) =>
      createOncePerBrowser('log-1', { onWake: () => woken.push(name), onTold: () => undefined }),
    );
    const running = [one, two, three].map((tab) => tab?.exclusively(untilAborted, stopping.signal));
    await deliver();
    two?.wakeOthers();
    await deliver();
    expect(woken.toSorted()).toEqual(['one', 'three']);
    one?.wakeOthers();
    await deliver();
    expect(woken.toSorted()).toEqual(['one', 'three', 'three', 'two']);
    stopping.abort();
    await Promise.allSettled(running);
    for (const tab of [one, two, three]) tab?.close();
  });

  it('takes a silent tab’s place, whatever others wish of it', async () => {
    stubLocks();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const stopping = new AbortController();
    // A frozen tab: it keeps its lock, and says nothing.
    const frozen = navigator.locks.request('varve:sync:log-1', () => new Promise(() => undefined));
    frozen.catch(() => undefined);
    const [two, three] = [createOncePerBrowser('log-1', deaf), createOncePerBrowser('log-1', deaf)];
    let isTaken = false;
    const running = two.exclusively((signal) => {
      isTaken = true;
      return untilAborted(signal);
    }, stopping.signal);
    for (let past = 0; past < 15; past += 5) {
      expect(isTaken).toBe(false);
      three.wakeOthers();
      await deliver();
      vi.advanceTimersByTime(5_000);
    }
    await deliver();
    expect(isTaken).toBe(true);
    stopping.abort();
    await running;
  });

  it('shows in every tab what is in the way of sync, and when it is tried again', async () => {
    stubLocks();
    const log = createMemoryEventLog();
    const stopping = new AbortController();
    const problem = { code: 'OFFLINE', text: 'There is no network.' };
    const createTab = async (progress: SyncProgress) => {
      const sync: Sync = {
        start: (host) => {
          const work = async (signal: AbortSignal) => {
            host.report(progress);
            await untilAborted(signal);
          };
          host.exclusively(work, stopping.signal).catch(() => undefined);
          host.report({ phase: 'elsewhere', nextWakeAt: 7 });
          return { wake: () => undefined, stop: async () => stopping.abort() };
        },
      };
      const client = createClient(bankApp, () => createInProcessWorker({ app: bankApp, log, sync }), {
        askToPersist: false,
      });
      onTestFinished(() => client.close());
      await client.receipts.find('nothing');
      return () => client.status.getState().sync;
    };
    const nextWakeAt = Date.now() + 60_000;
    const one = await createTab({ phase: 'waiting', problem, nextWakeAt, syncedAt: 3 });
    await expect.poll(one).toMatchObject({ phase: 'waiting', problem });
    const two = await createTab({ phase: 'synced', nextWakeAt: 9 });
    await expect.poll(two).toMatchObject({ phase: 'elsewhere', problem, nextWakeAt, syncedAt: 3 });
  });

  it('brings the wish of a page to the tab that syncs', async () => {
    stubLocks();
    const log = createMemoryEventLog();
    const stopping = new AbortController();
    const createTab = async () => {
      const wake = vi.fn();
      const sync: Sync = {
        start: (host) => {
          host.exclusively(untilAborted, stopping.signal).catch(() => undefined);
          return { wake, stop: async () => stopping.abort() };
        },
      };
      const client = createClient(bankApp, () => createInProcessWorker({ app: bankApp, log, sync }), {
        askToPersist: false,
      });
      onTestFinished(() => client.close());
      await client.receipts.find('nothing');
      return { client, wake };
    };
    const [one, two] = [await createTab(), await createTab()];
    two.client.syncNow();
    await expect.poll(() => one.wake.mock.calls.length).toBe(1);
  });
});
