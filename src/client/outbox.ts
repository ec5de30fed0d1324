import type { Command } from '../core/command.ts';
import { type ExpectedRevision, FailureError } from '../core/errors.ts';
import type { Receipt } from '../core/receipt.ts';
import type { Executed, ExecuteRequest, Progress } from '../protocol/engine-api.ts';
import { randomId } from '../protocol/random-id.ts';
import { cancelled } from './cancelled.ts';
import type { Connection } from './connection.ts';
import { createSlots } from './slots.ts';
import type { StatusStore } from './status.ts';
import type { ProgressListener } from './transfers.ts';

export interface ExecuteOptions {
  /** Refuses the command, without a retry, where the stream is not at this revision: what the user saw. */
  readonly expectedRevision?: ExpectedRevision;
  /** The same id sent twice changes nothing the second time and gets the first receipt. Drawn at random if not given. */
  readonly commandId?: string;
  readonly correlationId?: string;
  readonly causationId?: string;
  /** `strict` (the default) survives a power cut as far as the browser honours it; `relaxed` is for what can be had again. */
  readonly durability?: 'strict' | 'relaxed';
  /** Cancels while nothing is committed: the receipt is then `failed` with `engine.cancelled`, and nothing was saved. */
  readonly signal?: AbortSignal;
  /** Told now and then how many of a long list of commands have been decided; all of them once they are saved. */
  readonly onProgress?: ProgressListener;
}

/** A decision reads many streams: it expects no revision of one. */
export type DecisionOptions = Omit<ExecuteOptions, 'expectedRevision'>;

/** What is asked of the worker besides commands: a decision stands in their place. */
export type SendOptions = ExecuteOptions & Pick<ExecuteRequest, 'decision'>;

/** The commands of a page that are on their way to the worker. */
export interface Outbox {
  /** Resolves with what became of them; rejects only where the app's own code threw. */
  send(commands: readonly Command[], options: SendOptions & { readonly commandId: string }): Promise<Receipt>;
  /** Settles when everything that was sent until now is answered. */
  settled(): Promise<void>;
}

/** Most writes of one page that are under way at a time; the others wait their turn. */
const maxOpenWrites = 64;

/** Commands of a long list that are sent at a time: about a millisecond of copying for the page. */
const stageLength = 500;

/**
 * `onSaved` is called, and waited for, before a receipt that says so is handed out; `rebases` is what the status said of
 * them when the command was sent.
 */
export function createOutbox({
  call,
  status,
  progressListeners,
  follow,
  onSaved,
}: {
  readonly call: Connection['call'];
  readonly status: StatusStore;
  /** Told of the progress of calls, by id. */
  readonly progressListeners: Map<string, (progress: Progress) => void>;
  /** Notes each command and its answer. */
  readonly follow: (commandId: string, answer: Promise<Receipt>) => Promise<Receipt>;
  readonly onSaved: (executed: Executed, rebases: number) => Promise<void>;
}): Outbox {
  const slots = createSlots(maxOpenWrites);
  const open = new Set<Promise<Receipt>>();

  async function sendInTurn(
    commands: readonly Command[],
    { signal, onProgress, commandId, ...rest }: SendOptions & { readonly commandId: string },
  ): Promise<Receipt> {
    if (signal?.aborted) return cancelled(commandId);
    const callId = randomId();
    const request = { ...rest, commandId, callId, reportProgress: onProgress !== undefined };
    const cancel = () => void call((api) => api.cancel(callId)).catch(() => undefined);
    signal?.addEventListener('abort', cancel);
    if (onProgress !== undefined) progressListeners.set(callId, ({ done, total }) => onProgress({ done, total }));
    status.setState(({ saving }) => ({ saving: saving + 1 }));
    const release = await slots.take();
    const { rebases } = status.getState();
    try {
      const executed = await post(commands, request, signal);
      const { receipt } = executed;
      if (receipt.status === 'saved') {
        await onSaved(executed, rebases);
        onProgress?.({ done: commands.length, total: commands.length });
      }
      return receipt;
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      return { status: 'failed', commandId, failure: error.failure };
    } finally {
      release();
      status.setState(({ saving }) => ({ saving: saving - 1 }));
      signal?.removeEventListener('abort', cancel);
      progressListeners.delete(callId);
    }
  }

  function post(
    commands: readonly Command[],
    request: Omit<ExecuteRequest, 'commands'> & { readonly callId: string },
    signal: AbortSignal | undefined,
  ): Promise<Executed> {
    const { callId, commandId } = request;
    let wasSent = false;
    // Again from the start where the worker was replaced.
    return call(async (api) => {
      // What an earlier worker was sent may be saved: the new one looks, and is to do nothing where it is not.
      if (wasSent && signal?.aborted) void api.cancel(callId);
      const isShort = commands.length <= stageLength;
      // Slice by slice, so that the page stays responsive.
      for (let start = 0; start < commands.length && !isShort; start += stageLength) {
        if (signal?.aborted && !wasSent) break;
        await api.stage(callId, commands.slice(start, start + stageLength));
      }
      // The worker drops them when it hears that.
      if (signal?.aborted && !wasSent) return { receipt: cancelled(commandId), projectedTo: 0 };
      wasSent = true;
      return api.execute(isShort ? { ...request, commands } : { ...request, commands: [], staged: commands.length });
    });
  }

  return {
    send: (commands, options) => {
      const sent = follow(options.commandId, sendInTurn(commands, options)).finally(() => open.delete(sent));
      open.add(sent);
      return sent;
    },
    settled: async () => void (await Promise.allSettled(open)),
  };
}
