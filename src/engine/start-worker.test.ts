import 'fake-indexeddb/auto';
import { transfer, wrap } from 'comlink';
import { expect, it, onTestFinished, vi } from 'vitest';
import { appSignature, type EngineApi } from '../protocol/engine-api.ts';
import type { Sync } from '../protocol/sync-host.ts';
import { bankApp } from '../testing/fixtures/bank-app.ts';
import { startWorker, type WorkerOptions } from './start-worker.ts';

/** A worker in this process, whose timer does not run. */
function start(options?: WorkerOptions) {
  const { port1, port2 } = new MessageChannel();
  const page = new MessageChannel();
  const every = vi.spyOn(globalThis, 'setInterval').mockReturnValue(0 as never);
  onTestFinished(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    for (const port of [port1, port2, page.port1, page.port2]) port.close();
  });
  // What a worker's scope has, and Node's has not.
  vi.stubGlobal('addEventListener', port1.addEventListener.bind(port1));
  vi.stubGlobal('postMessage', port1.postMessage.bind(port1));
  port1.start();
  startWorker(bankApp, options);
  const engine = wrap<EngineApi>(port2);
  const connect = () => engine.connect({ app: appSignature(bankApp) }, transfer(page.port1, [page.port1]));
  return { engine, connect, every };
}

it('looks for what other tabs wrote every 30 s, and leaves sync to its waiting times', async () => {
  const wake = vi.fn();
  const sync: Sync = { start: () => ({ wake, stop: async () => undefined }) };
  const { engine, connect, every } = start({ sync });
  const [[look, ms] = []] = every.mock.calls;
  expect(ms).toBe(30_000);
  await connect();
  look?.();
  await engine.ping();
  expect(wake).toHaveBeenCalledTimes(0);
  await engine.wake();
  expect(wake).toHaveBeenCalledTimes(1);
});

it('does without a lock that the browser refuses', async () => {
  const request = () => Promise.reject(new DOMException('The document is not fully active.', 'InvalidStateError'));
  vi.stubGlobal('navigator', { locks: { request } });
  const { connect } = start();
  expect(await connect()).toMatchObject({ status: 'ready', aliveLock: '' });
});
