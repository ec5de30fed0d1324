import { type Endpoint, type Remote, transfer, wrap } from 'comlink';
import { type Failure, FailureError } from '../core/errors.ts';
import type { EngineApi, EngineMessage, Hello, Welcome } from '../protocol/engine-api.ts';
import { failureToError } from '../protocol/plain-failures.ts';

/** A Worker, or anything that can stand in for one in a test. */
export interface WorkerLike extends Endpoint {
  terminate(): void;
}

type Ready = Extract<Welcome, { status: 'ready' }>;

export interface ConnectionOptions {
  readonly createWorker: () => WorkerLike;
  readonly hello: () => Hello;
  readonly onMessage: (message: EngineMessage) => void;
  /** Called for every worker that is ready: the first, and each that replaces a dead one. */
  readonly onReady: (welcome: Ready) => void;
  /** Nothing can be stored any more, until `restart`. */
  readonly onFailed: (failure: Failure) => void;
  /**
   * How long a worker that starts, or has open calls, may be silent before it is asked whether it lives, and then before it
   * is replaced. One that was never heard of gets six times that: its script may be long on its way.
   */
  readonly patienceMs: number;
}

/**
 * The line to the worker, and what Comlink leaves out: a worker that dies is noticed and replaced, and the calls that
 * were open are made again on the new one. Comlink alone would leave them pending for ever (comlink#601, #692).
 */
export interface Connection {
  /** Starts the worker where none runs. */
  start(): void;
  /**
   * Makes calls; `run` is run again from its start on a new worker where the old one died.
   *
   * Throws `FailureError` where no worker can be had or the log cannot be opened; what the worker throws is passed on.
   */
  call<Result>(run: (api: Remote<EngineApi>) => Promise<Result>): Promise<Result>;
  /** Replaces the worker by a new one, also after a failure; calls that are open move over to it. */
  restart(): void;
  /** Ends the worker once the open calls are answered. Later ones fail with this. */
  close(failure: FailureError): Promise<void>;
}

/** One worker's life. Kept as long as calls are open: Comlink drops replies to a proxy that was garbage-collected. */
interface Session {
  readonly api: Remote<EngineApi>;
  readonly welcome: Promise<Welcome>;
  /** Resolves with the answer, or with undefined where the worker dies first. */
  readonly beforeDeath: <Answer>(answer: Promise<Answer>) => Promise<Answer | undefined>;
  /** Ends the worker; the first call counts. */
  readonly end: (cause: string) => void;
}

const maxDeaths = 5;
const deathWindowMs = 30_000;

export function createConnection(options: ConnectionOptions): Connection {
  const { createWorker, hello, onMessage, onReady, onFailed, patienceMs } = options;
  /** The session that calls go to: pending while a worker starts, rejected where none can be had. */
  let current: Promise<Session> | undefined;
  /** That of the worker that was started last; undefined where none is to take its place. */
  let newest: Session | undefined;
  /** What the worker that starts still owes: any word at all, or that it is ready. */
  let awaited: 'word' | 'welcome' | undefined;
  let opened = 0;
  let lastCause = '';
  let deaths: number[] = [];
  const openCalls = new Set<Promise<unknown>>();
  let lastAnswer = 0;
  let watchdog: ReturnType<typeof setTimeout> | undefined;

  function setCurrent(session: Promise<Session>): Promise<Session> {
    // A failure is told by `onFailed` and by every call; nobody else has to listen.
    session.catch(() => undefined);
    current = session;
    return session;
  }

  /**
   * Starts workers until one is ready; the first of them after a while, where it replaces one that died. Rejects with the
   * failure of the log, or where they keep dying.
   */
  async function open(): Promise<Session> {
    opened += 1;
    const turn = opened;
    for (;;) {
      if (deaths.length > 0) await restartDelay();
      // Restarted or closed meanwhile: who waits for this one is passed on to what came in its place.
      if (turn !== opened && current !== undefined) return current;
      const session = startSession();
      const answer = await session.beforeDeath(session.welcome);
      if (turn !== opened && current !== undefined) return current;
      if (answer?.status === 'failed') throw fail(answer.failure);
      if (answer !== undefined) {
        awaited = undefined;
        watchLock(answer.aliveLock, session);
        onReady(answer);
        return session;
      }
    }
  }

  function startSession(): Session {
    const worker = startWorker();
    const api = wrap<EngineApi>(worker);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<EngineMessage>) => onMessage(data);
    let alive = true;
    const waiting = new Set<() => void>();
    // Not `Promise.race` with a promise of the death: it would leave something there for every call of a long session.
    const beforeDeath: Session['beforeDeath'] = (answer) =>
      new Promise((resolve, reject) => {
        const giveUp = () => resolve(undefined);
        waiting.add(giveUp);
        answer.finally(() => waiting.delete(giveUp)).then(resolve, reject);
        if (!alive) giveUp();
      });
    const end = (cause: string) => {
      if (!alive) return;
      alive = false;
      worker.terminate();
      port1.close();
      deaths.push(performance.now());
      lastCause = cause;
      // Before anybody who waits for the death goes on: the next call must find the next worker.
      if (awaited === undefined && newest === session) void setCurrent(open());
      for (const giveUp of waiting) giveUp();
    };
    // A script that cannot be loaded says so here and nowhere else. Later errors are the app's: the worker lives on.
    worker.addEventListener('error', (event) => {
      if (awaited) end(`its script could not run: ${'message' in event ? String(event.message) : 'not found'}`);
    });
    worker.addEventListener('message', () => {
      if (awaited) awaited = 'welcome';
    });
    awaited = 'word';
    // Answered as soon as the script runs, however long the log takes to open.
    void api.ping();
    const welcome = api
      .connect(hello(), transfer(port2, [port2]))
      .catch((bug: unknown): Welcome => ({ status: 'failed', failure: toStartFailure(bug) }));
    const session: Session = { api, welcome, beforeDeath, end };
    newest = session;
    watch();
    return session;
  }

  /** A browser may refuse to: where the script is of another origin, say. */
  function startWorker(): WorkerLike {
    try {
      return createWorker();
    } catch (bug) {
      throw fail(toStartFailure(bug));
    }
  }

  /** The worker holds this lock as long as it lives; who is granted it has outlived the worker. */
  function watchLock(name: string, { end }: Session): void {
    if (name !== '') void navigator.locks.request(name, () => end('it ended unexpectedly'));
  }

  /** Rejects where workers died too often of late. */
  async function restartDelay(): Promise<void> {
    const now = performance.now();
    deaths = deaths.filter((time) => now - time < deathWindowMs);
    if (deaths.length > maxDeaths) throw fail(stoppedFailure(`stopped again and again; the last time ${lastCause}`));
    const delayMs = deaths.length <= 1 ? 0 : 50 * 2 ** deaths.length;
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }

  function fail(failure: Failure): FailureError {
    awaited = undefined;
    onFailed(failure);
    return new FailureError(failure);
  }

  /** While an answer is awaited and none comes, asks whether the worker still turns, and replaces it where it does not. */
  function watch(): void {
    clearTimeout(watchdog);
    if (openCalls.size > 0 || awaited) watchdog = setTimeout(() => void askWhetherAlive(), patienceMs);
  }

  async function askWhetherAlive(): Promise<void> {
    const session = newest;
    if (session !== undefined && performance.now() - lastAnswer >= patienceMs) {
      const waitMs = awaited === 'word' ? 6 * patienceMs : patienceMs;
      const silence = setTimeout(() => session.end(`it did not answer for ${waitMs / 1000} s`), waitMs);
      await session.beforeDeath(session.api.ping());
      clearTimeout(silence);
    }
    watch();
  }

  /** Ends the worker; none takes its place by itself. */
  function retire(cause: string): void {
    const session = newest;
    newest = undefined;
    awaited = undefined;
    session?.end(cause);
  }

  async function callUntilAnswered<Result>(run: (api: Remote<EngineApi>) => Promise<Result>): Promise<Result> {
    for (;;) {
      const session = await (current ?? setCurrent(open()));
      const answered = run(session.api).then(
        (value) => ({ value }),
        (thrown: unknown) => {
          throw failureToError(thrown);
        },
      );
      const answer = await session.beforeDeath(answered);
      if (answer !== undefined) return answer.value;
    }
  }

  return {
    start: () => {
      if (current === undefined) void setCurrent(open());
    },
    call: async (run) => {
      const call = callUntilAnswered(run);
      openCalls.add(call);
      if (openCalls.size === 1) watch();
      try {
        return await call;
      } finally {
        lastAnswer = performance.now();
        openCalls.delete(call);
      }
    },
    restart: () => {
      retire('the app restarted it');
      deaths = [];
      void setCurrent(open());
    },
    close: async (failure) => {
      await Promise.allSettled(openCalls);
      clearTimeout(watchdog);
      opened += 1;
      void setCurrent(Promise.reject(failure));
      retire('the app closed it');
    },
  };
}

function toStartFailure(bug: unknown): Failure {
  return stoppedFailure(`could not start: ${String(bug)}`);
}

function stoppedFailure(how: string): Failure {
  return {
    type: 'engine.stopped',
    text: `The app's worker ${how}. Whether the last commands were saved is not known: reload the page to see it. Sending one again with its command id is safe.`,
  };
}
