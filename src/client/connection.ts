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
  /** How long a worker with open calls may be silent before it is asked whether it lives, and then before it is replaced. */
  readonly patienceMs?: number;
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
  /** Ends the worker once the open calls are answered. */
  close(): Promise<void>;
}

/** One worker's life. Kept as long as calls are open: Comlink drops replies to a proxy that was garbage-collected. */
interface Session {
  readonly api: Remote<EngineApi>;
  /** Resolves when the worker is dead. */
  readonly death: Promise<void>;
  /** Resolves with the answer, or with undefined where the worker dies first. */
  readonly beforeDeath: <Answer>(answer: Promise<Answer>) => Promise<Answer | undefined>;
  /** Ends the worker; the first call counts. */
  readonly end: (cause: string) => void;
}

const maxDeaths = 5;
const deathWindowMs = 30_000;

export function createConnection(options: ConnectionOptions): Connection {
  const { createWorker, hello, onMessage, onReady, onFailed, patienceMs = 10_000 } = options;
  /** The session that calls go to: pending while a worker starts, rejected where none can be had. */
  let current: Promise<Session> | undefined;
  let endCurrent: Session['end'] = () => undefined;
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
  async function open({ isReplacement = false } = {}): Promise<Session> {
    opened += 1;
    const turn = opened;
    for (let waits = isReplacement; ; waits = true) {
      if (waits) await restartDelay();
      // Restarted or closed meanwhile: who waits for this one is passed on to what came in its place.
      if (turn !== opened && current !== undefined) return current;
      const { session, welcome } = startSession();
      const answer = await Promise.race([welcome, session.death]);
      if (turn !== opened && current !== undefined) return current;
      if (answer?.status === 'ready') {
        watchLock(answer.aliveLock, session);
        onReady(answer);
        return session;
      }
      if (answer?.status === 'failed') throw fail(answer.failure);
    }
  }

  function startSession(): { readonly session: Session; readonly welcome: Promise<Welcome> } {
    const worker = createWorker();
    const api = wrap<EngineApi>(worker);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<EngineMessage>) => onMessage(data);
    let alive = true;
    let greeted = false;
    let settleDeath = () => {};
    const death = new Promise<void>((resolve) => {
      settleDeath = resolve;
    });
    const waiting = new Set<() => void>();
    // Not `Promise.race`: it would leave something on `death` for every call of a long session.
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
      if (greeted && endCurrent === end) void setCurrent(open({ isReplacement: true }));
      settleDeath();
      for (const giveUp of waiting) giveUp();
    };
    endCurrent = end;
    // A script that cannot be loaded says so here and nowhere else. Later errors are the app's: the worker lives on.
    worker.addEventListener('error', (event) => {
      if (!greeted) end(`its script could not run: ${'message' in event ? String(event.message) : 'not found'}`);
    });
    const welcome = api.connect(hello(), transfer(port2, [port2])).then(
      (answer) => {
        greeted = answer.status === 'ready';
        return answer;
      },
      (bug: unknown): Welcome => ({ status: 'failed', failure: stoppedFailure(`it could not start: ${String(bug)}`) }),
    );
    return { session: { api, death, beforeDeath, end }, welcome };
  }

  /** The worker holds this lock as long as it lives; who is granted it has outlived the worker. */
  function watchLock(name: string, { end }: Session): void {
    if (name === '' || typeof navigator === 'undefined' || navigator.locks === undefined) return;
    void navigator.locks.request(name, () => end('it ended unexpectedly'));
  }

  /** Rejects where workers died too often of late. */
  async function restartDelay(): Promise<void> {
    const now = performance.now();
    deaths = deaths.filter((time) => now - time < deathWindowMs);
    if (deaths.length > maxDeaths) throw fail(stoppedFailure(lastCause));
    const delayMs = deaths.length <= 1 ? 0 : 50 * 2 ** deaths.length;
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }

  function fail(failure: Failure): FailureError {
    onFailed(failure);
    return new FailureError(failure);
  }

  /** While calls are open and no answer comes, asks whether the worker still turns, and replaces it where it does not. */
  function watch(): void {
    clearTimeout(watchdog);
    if (openCalls.size > 0) watchdog = setTimeout(() => void askWhetherAlive(), patienceMs);
  }

  async function askWhetherAlive(): Promise<void> {
    const session = await current?.catch(() => undefined);
    if (session !== undefined && performance.now() - lastAnswer >= patienceMs) {
      const silence = setTimeout(() => session.end(`it did not answer for ${(2 * patienceMs) / 1000} s`), patienceMs);
      await Promise.race([session.api.ping(), session.death]);
      clearTimeout(silence);
    }
    watch();
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
      const end = endCurrent;
      endCurrent = () => undefined;
      end('the app restarted it');
      deaths = [];
      void setCurrent(open());
    },
    close: async () => {
      await Promise.allSettled(openCalls);
      const end = endCurrent;
      endCurrent = () => undefined;
      clearTimeout(watchdog);
      opened += 1;
      void setCurrent(Promise.reject(new FailureError(closed)));
      end('the app closed it');
    },
  };
}

const closed: Failure = {
  type: 'engine.stopped',
  text: 'The client was closed by the app. Make a new one with createClient.',
};

function stoppedFailure(cause: string): Failure {
  return {
    type: 'engine.stopped',
    text: `The app's worker stopped again and again; the last time ${cause}. Whether the last commands were saved is not known: they show after a reload if they were, and sending one again with its command id is safe. Reload the page.`,
  };
}
