import type { Consumer } from '../../core/app.ts';
import { FailureError } from '../../core/errors.ts';
import type { RecordedEvent } from '../../core/events.ts';
import type { Checkpoint, CheckpointStore } from '../../log/checkpoint-store.ts';
import { textDigest } from '../../log/text-digest.ts';
import type { ConsumerStatus } from '../../protocol/engine-api.ts';
import { type ConsumerTools, type ConsumerWork, callLater, type Progress } from './consumer-work.ts';
import { eventText } from './lineage.ts';
import { createProcessWork } from './process-work.ts';
import { createReactorWork } from './reactor-work.ts';

/** One reactor or process: follows the log from its checkpoint on, and tries again what failed. */
export interface ConsumerRun {
  readonly status: ConsumerStatus;
  /** Looks how far it has come, where another worker runs it; stores the checkpoint of a new consumer. */
  look(): Promise<void>;
  /** Runs until `signal` is aborted; never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** Called where the log may have grown, to a head if it is known, or time may have passed. */
  wake(grownTo?: number): void;
}

/** The first retry comes after a second, each later one after twice the time, up to five minutes; all of them up to half earlier, by chance. */
const firstRetryMs = 1_000;
const maxRetryMs = 300_000;

/** The clock is looked at as often at least: timers of browsers drift while a device sleeps, and overflow after 24 days. */
const maxPauseMs = 3_600_000;

/** Events that are none of its business, after which how far it came is saved all the same. */
const saveEvery = 5_000;

/** Another worker runs the same consumer and was faster: what it saved is what counts. */
class Overtaken extends Error {}

/** `firstHead`: where the log ended when this worker started, which is where a new consumer starts. */
export function createConsumerRun(consumer: Consumer, firstHead: number, tools: ConsumerTools): ConsumerRun {
  const { env, log, whyUnreadable, onChange, onError } = tools;
  const { name, kind } = consumer;
  const eventTypes = new Set(consumer.eventTypes);
  const work: ConsumerWork =
    consumer.kind === 'reactor' ? createReactorWork(consumer, tools) : createProcessWork(consumer, tools);
  let store: CheckpointStore | undefined;
  /** As it is stored. */
  let checkpoint: Checkpoint | undefined;
  /** How far the log was looked at: events that are none of its business are not saved one by one. */
  let position = 0;
  let head = firstHead;
  /** As hints have it: to be shown, never to be read up to. */
  let grownTo = firstHead;
  let isRunning = false;
  let attempts = 0;
  let failure: ConsumerStatus['failure'];
  let rejection: string | undefined;
  let doing = '';
  let woken = false;
  let endPause = () => {};
  let { rebases } = log.order;
  /** From where on the log is another one since the checkpoint was loaded: of what is confirmed, only a server that was put back makes it so. */
  let changedAfter = Number.POSITIVE_INFINITY;
  log.onRebase((fork) => {
    changedAfter = Math.min(changedAfter, fork);
  });

  function wake(to = 0): void {
    woken = true;
    grownTo = Math.max(grownTo, to);
    // It will not look before its next attempt.
    if (failure !== undefined) onChange();
    endPause();
  }

  async function look(): Promise<Checkpoint> {
    store ??= await log.openCheckpoints();
    const found = (await store.load(name)) ?? (await start(store));
    head = await log.head();
    return found;
  }

  function goOnFrom(found: Checkpoint): Checkpoint {
    // Beyond the log's end where the log has lost it: what comes there now is new.
    position = Math.min(found.position, head);
    return found;
  }

  async function start(checkpoints: CheckpointStore): Promise<Checkpoint> {
    const first = { position: consumer.startAt === 'beginning' ? 0 : firstHead, turn: 1 };
    if (await checkpoints.save(name, first)) return first;
    const found = await checkpoints.load(name);
    if (found === undefined) throw new Error(`The checkpoint of the ${kind} "${name}" cannot be stored.`);
    return found;
  }

  function progressOf(checkpoints: CheckpointStore, signal: AbortSignal): Progress {
    return {
      get position() {
        return position;
      },
      signal,
      begin: (what) => {
        doing = what;
      },
      load: async (keys) => {
        const { turn, instances } = await checkpoints.loadInstances(name, keys);
        if (turn !== checkpoint?.turn) throw new Overtaken();
        return instances;
      },
      save: async (to, instances = []) => {
        // Of a page that was read before a server was put back: other events stand there now. Asked for, the log hears of
        // what another tab did.
        await log.head();
        if (to > changedAfter) throw new Overtaken();
        const next = { position: to, turn: (checkpoint?.turn ?? 0) + 1 };
        if (!(await checkpoints.save(name, { ...next, instances }))) throw new Overtaken();
        checkpoint = next;
        position = to;
        attempts = 0;
        failure = undefined;
      },
      noteRejection: (text) => {
        rejection = text;
      },
    };
  }

  /** Takes everything that there is and is due. @returns when the next deadline is. */
  async function advance(signal: AbortSignal): Promise<number | undefined> {
    doing = 'while it looked up how far it had come';
    if (checkpoint === undefined) {
      changedAfter = Number.POSITIVE_INFINITY;
      checkpoint = goOnFrom(await look());
    }
    store ??= await log.openCheckpoints();
    const progress = progressOf(store, signal);
    for (;;) {
      // Events first: one of them may have cancelled what is due.
      await catchUp(progress);
      if (signal.aborted) return undefined;
      const next = await work.nextDeadline(store);
      if (next === undefined || next.at > env.now()) return next?.at;
      await work.fire(next, progress);
    }
  }

  /** Where sync has put what is pending into another order, the checkpoint may have been set back. */
  function requireSameOrder(): void {
    const isSame = rebases === log.order.rebases;
    rebases = log.order.rebases;
    if (!isSame) throw new Overtaken();
  }

  async function catchUp(progress: Progress): Promise<void> {
    while (!progress.signal.aborted) {
      doing = 'while it read the log';
      head = await log.head();
      requireSameOrder();
      if (position >= head) return;
      const to = head;
      // All types: what this build does not know may be the business of a newer one, and is not passed over.
      for await (const page of log.read({ from: position + 1, to })) {
        requireSameOrder();
        const unreadable = page.find((event) => whyUnreadable(event) !== undefined);
        const readable = unreadable === undefined ? page : page.slice(0, page.indexOf(unreadable));
        const events = readable.filter(({ type }) => eventTypes.has(type));
        if (events.length > 0) await work.take(events, progress);
        if (progress.signal.aborted) return;
        if (unreadable !== undefined) stopBefore(unreadable);
        onChange();
      }
      requireSameOrder();
      position = to;
      if (position - (checkpoint?.position ?? 0) >= saveEvery) await progress.save(position);
    }
  }

  function stopBefore(event: RecordedEvent): void {
    position = event.position - 1;
    doing = eventText(event);
    const why = whyUnreadable(event);
    if (why !== undefined) throw new FailureError(why);
  }

  function noteFailure(error: unknown): number {
    attempts += 1;
    const longest = Math.min(firstRetryMs * 2 ** (attempts - 1), maxRetryMs);
    const nextAttemptAt = env.now() + Math.ceil(longest * (1 - chance(env.newId()) / 2));
    failure = {
      text: `The ${kind} "${name}" failed ${doing}: ${String(error)}. It is tried again; until then it alone waits.`,
      attempts,
      nextAttemptAt,
    };
    onError(error);
    return nextAttemptAt;
  }

  /** Until a time, or until it is woken. */
  function pauseUntil(time = Number.POSITIVE_INFINITY): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        endPause = () => {};
        resolve();
      };
      const cancel = callLater(env, end, Math.min(Math.max(0, time - env.now()), maxPauseMs));
      endPause = end;
    });
  }

  async function run(signal: AbortSignal): Promise<void> {
    const onAbort = () => wake();
    signal.addEventListener('abort', onAbort);
    isRunning = true;
    // What another worker saved while this one waited for its turn.
    checkpoint = undefined;
    while (!signal.aborted) {
      woken = false;
      try {
        const next = await advance(signal);
        attempts = 0;
        failure = undefined;
        onChange();
        if (!woken) await pauseUntil(next);
      } catch (error) {
        if (signal.aborted) break;
        if (error instanceof Overtaken) {
          checkpoint = undefined;
          continue;
        }
        const failedAt = env.now();
        const nextAttemptAt = noteFailure(error);
        onChange();
        // Growth is no reason to try earlier; waking looks at the clock again. One that was set back must not hold it up.
        const isEarly = () => env.now() >= failedAt && env.now() < nextAttemptAt;
        while (!signal.aborted && isEarly()) await pauseUntil(nextAttemptAt);
      }
    }
    isRunning = false;
    signal.removeEventListener('abort', onAbort);
  }

  return {
    get status() {
      return {
        name,
        kind,
        isRunning,
        position,
        lag: Math.max(0, head - position, grownTo - position),
        ...(failure === undefined ? {} : { failure }),
        ...(rejection === undefined ? {} : { rejection }),
      };
    },
    look: async () => {
      const found = await look();
      // Unless it has begun to run meanwhile, and knows better.
      if (!isRunning) goOnFrom(found);
    },
    run,
    wake,
  };
}

/** From 0 to 1, drawn from a random id: chance comes from the environment alone. */
function chance(id: string): number {
  return Number.parseInt(textDigest(id).slice(0, 8), 16) / 2 ** 32;
}
