import type { App } from '../core/app.ts';
import type { Command } from '../core/command.ts';
import type { Env } from '../core/env.ts';
import { type Failure, FailureError } from '../core/errors.ts';
import type { Receipt, Saved } from '../core/receipt.ts';
import type { EventLog } from '../log/event-log.ts';
import type { EngineApi, Executed, ExecuteRequest } from '../protocol/engine-api.ts';
import { createCommandQueue, type Outcome } from './command-queue.ts';
import type { DecideAcross } from './decide-across.ts';
import { executeGroup, findReceipt, isOfOneRequest, toFailed } from './execute.ts';
import type { ToNote } from './group.ts';
import type { Projections } from './projecting/projections.ts';
import type { Publisher } from './publisher.ts';
import type { StateSnapshots } from './state-snapshots.ts';
import type { StreamCache } from './stream-cache.ts';

/** What commands are decided on. */
export interface Ground {
  readonly app: App;
  readonly log: EventLog;
  readonly projections: Projections;
  /** Where aggregates of the app have their states saved. */
  readonly saved: StateSnapshots | undefined;
  readonly decideAcross: DecideAcross | undefined;
  /** With sync. */
  readonly toNote: ToNote | undefined;
}

/** The engine's side of commands: they wait for each other, are decided in groups, and answered when their rows are there. */
export interface Commands extends Pick<EngineApi, 'execute' | 'stage' | 'cancel'> {
  /** Whether a group is being stored: it takes what it appends itself. */
  readonly inGroup: boolean;
  /** The receipt of a command that is in the log; undefined where it is not. */
  findReceipt(commandId: string): Promise<{ readonly saved: Saved; readonly projectedTo: number } | undefined>;
  /** Sends a request as those of the page are sent. */
  enqueue(request: ExecuteRequest): Promise<Receipt>;
}

export function createCommands({
  env,
  cache,
  cancelled,
  publisher,
  requireGround,
  onFailure,
  onGroupEnd,
}: {
  readonly env: Env;
  readonly cache: StreamCache;
  /** Ids of calls that were cancelled. */
  readonly cancelled: Set<string>;
  readonly publisher: Publisher;
  readonly requireGround: () => Ground;
  readonly onFailure: (failure: Failure) => void;
  readonly onGroupEnd: () => void;
}): Commands {
  /** Commands that were sent ahead, by the call that they are of. */
  const stagings = new Map<string, Command[]>();
  let inGroup = false;

  async function runGroup(requests: readonly ExecuteRequest[]): Promise<readonly Outcome[]> {
    const { app, log, projections, saved, decideAcross, toNote } = requireGround();
    const hooks = {
      isCancelled: ({ callId = '' }: ExecuteRequest) => cancelled.has(callId),
      onProgress: ({ callId = '', reportProgress = false }: ExecuteRequest, done: number, total: number) => {
        if (reportProgress) publisher.post({ type: 'progress', callId, done, total });
      },
    };
    try {
      inGroup = true;
      const engine = { app, env, log, cache, hooks, saved, decideAcross, toNote };
      const { outcomes, appended, rebases } = await executeGroup(requests, engine);
      if (appended.length > 0 && rebases === log.order.rebases) {
        // On disk already: what goes wrong from here on must not turn the receipt into a failure.
        await projections.advance(appended);
      }
      return outcomes;
    } catch (error) {
      // One request must not fail for another's size: each tries alone.
      if (requests.length > 1) return (await Promise.all(requests.map((request) => runGroup([request])))).flat();
      const [request] = requests;
      if (!(error instanceof FailureError) || request === undefined) return [{ thrown: error }];
      if (!isOfOneRequest(error)) onFailure(error.failure);
      return [{ receipt: toFailed(request, error) }];
    } finally {
      inGroup = false;
      onGroupEnd();
    }
  }

  function takeCommands({ commands, callId = '', staged }: ExecuteRequest): readonly Command[] {
    if (staged === undefined) return commands;
    const arrived = stagings.get(callId) ?? [];
    stagings.delete(callId);
    // Of one that was cancelled some may be gone: it is only looked up, for an earlier worker may have saved it.
    if (arrived.length === staged || cancelled.has(callId)) return arrived;
    throw new Error(`Of ${staged} commands that were sent ahead, ${arrived.length} arrived.`);
  }

  /** A command that was repeated, or looked up, may be ahead of the rows of a worker that has just started. */
  async function toExecuted(receipt: Receipt): Promise<Executed> {
    const { projections } = requireGround();
    if (receipt.status === 'saved' && receipt.position > projections.position) await projections.follow();
    return { receipt, projectedTo: projections.position };
  }

  const enqueue = createCommandQueue(runGroup);

  return {
    get inGroup() {
      return inGroup;
    },
    enqueue,
    execute: async (request) => {
      const commands = takeCommands(request);
      try {
        return await toExecuted(await enqueue({ ...request, commands }));
      } finally {
        cancelled.delete(request.callId ?? '');
      }
    },
    findReceipt: async (commandId) => {
      const saved = await findReceipt(commandId, requireGround().log);
      return saved && { saved, projectedTo: (await toExecuted(saved)).projectedTo };
    },
    stage: (callId, commands) => {
      const list = stagings.get(callId) ?? [];
      list.push(...commands);
      stagings.set(callId, list);
    },
    cancel: (callId) => {
      stagings.delete(callId);
      cancelled.add(callId);
    },
  };
}
