import { type Client, createClient } from '../client/client.ts';
import type { App } from '../core/app.ts';
import type { EventLog } from '../log/event-log.ts';
import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { createInProcessWorker } from './in-process-worker.ts';
import { createTestClock, type TestClock } from './test-clock.ts';

/** A whole app in this process: client, engine and a log in memory, on a clock that the test moves. */
export interface TestClient {
  readonly client: Client;
  readonly clock: TestClock;
  readonly log: EventLog;
  /** Resolves when all that follows from what was done until now is done: reactors, processes, and what the page shows. */
  settle(): Promise<void>;
  /** Ends the worker, whatever it is doing, and starts another on the same log. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

export interface TestClientOptions {
  /** Where the clock stands at first, in milliseconds since 1970; 0 by default. */
  readonly now?: number;
  /** Another client's log, as another tab opens it; a new one by default. */
  readonly log?: EventLog;
  /** How the ids begin that it makes: `id` by default. Two clients of one log need two. */
  readonly ids?: string;
}

/** How long in real time is waited for the app's own code. */
const patienceMs = 5_000;

/**
 * Runs an app as a browser does, but for the browser: in any runner, with ids that count up and a clock of its own.
 *
 * Handlers of processes are run twice and compared. What a reactor awaits is awaited in real time.
 *
 * ### Example
 * ```ts
 * const { client, clock, reload } = createTestClient(shop);
 * await client.execute(Order, '1', 'place', { price: 5 });
 * await reload();
 * await clock.advance(3 * day); // the deadline falls due
 * ```
 */
export function createTestClient(
  app: App,
  { now = 0, log = createMemoryEventLog(), ids = 'id' }: TestClientOptions = {},
): TestClient {
  const time = createTestClock(now, settle);
  let lastId = 0;
  const newId = () => {
    lastId += 1;
    return `${ids}-${lastId}`;
  };
  const env = { now: time.now, newId, callLater: time.callLater };
  const client = createClient(app, () => createInProcessWorker({ app, log, env }), {
    askToPersist: false,
    newId,
  });

  /** A consumer that has nothing to do waits for a time: when all of them wait, nothing goes on. */
  async function settle(): Promise<void> {
    await startWorker();
    const start = performance.now();
    while (time.waiting < app.consumers.size || client.status.getState().saved < (await log.head())) {
      if (performance.now() - start > patienceMs) throw new Error(await whatIsLeft());
      await turn();
    }
    // What was reported last is under way to the page.
    await turn();
  }

  /** The first call starts it. */
  async function startWorker(): Promise<void> {
    for await (const _event of client.read({ limit: 1 })) break;
  }

  async function whatIsLeft(): Promise<string> {
    const { consumers, saved } = client.status.getState();
    const busy = consumers.map(({ name, kind, position }) => `the ${kind} "${name}" is at position ${position}`);
    return `The app has not come to rest within ${patienceMs / 1000} s: ${[`the page is at position ${saved} of ${await log.head()}`, ...busy].join(', ')}.`;
  }

  return {
    client,
    clock: time.clock,
    log,
    settle,
    reload: async () => {
      // What the app calls when a log was lost: it takes whatever log is there.
      client.startOver();
      await settle();
    },
    close: () => client.close(),
  };
}

/** A turn of the event loop, in which messages arrive. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
