import { type Failure, FailureError } from '../core/errors.ts';
import type { EventLog } from '../log/event-log.ts';
import type { StageOptions, Staging } from '../log/import-log.ts';
import type { EngineApi } from '../protocol/engine-api.ts';
import type { Publisher } from './publisher.ts';

/** A log, and what only one that outlives the page can do. */
export interface OpenedLog extends EventLog {
  readonly stage?: (options: StageOptions) => Promise<Staging>;
}

export interface Transfers extends Pick<EngineApi, 'verify' | 'exportNext' | 'endExport' | 'import'> {
  /** Whether this worker puts another log in the place of its own, or has: its page replaces it when it has the answer. */
  readonly isImporting: boolean;
}

/** What goes over the whole log: checking it, taking it out, putting another in its place. */
export function createTransfers({
  app,
  cancelled,
  publisher,
  requireOpen,
}: {
  readonly app: string;
  /** Ids of calls that were cancelled. */
  readonly cancelled: Set<string>;
  readonly publisher: Publisher;
  /** The log, and its id where that was asked for: another device began it. */
  readonly requireOpen: () => { readonly log: OpenedLog; readonly joined: string | undefined };
}): Transfers {
  let imports = 0;
  const exports = new Map<string, AsyncGenerator<string>>();
  return {
    get isImporting() {
      return imports > 0;
    },
    verify: async (checkId) => {
      try {
        return await requireOpen().log.verify({
          onProgress: ({ done, total }) => publisher.post({ type: 'progress', callId: checkId, done, total }),
        });
      } catch (error) {
        if (!(error instanceof FailureError)) throw error;
        return { status: 'failed', failure: error.failure };
      }
    },
    exportNext: async (exportId, piece) => {
      if (piece === 0) {
        // What is rarely needed is loaded when it is.
        const { exportLog } = await import('../log/export-log.ts');
        exports.set(exportId, exportLog(requireOpen().log, app));
      }
      const pieces = exports.get(exportId);
      if (pieces === undefined) throw new FailureError(cutOff);
      const { value, done } = await pieces.next();
      if (done) exports.delete(exportId);
      return done ? undefined : new TextEncoder().encode(value);
    },
    endExport: async (exportId) => {
      const pieces = exports.get(exportId);
      exports.delete(exportId);
      await pieces?.return(undefined);
    },
    import: async (importId, file, { replace }) => {
      const { log, joined } = requireOpen();
      const { importLog, refusal } = await import('../log/import-log.ts');
      imports += 1;
      try {
        if (log.stage === undefined) throw new FailureError(refusal('this log is in memory', 'Use a durable one.'));
        const summary = await importLog(file.stream(), await log.stage({ importId, replace }), {
          app,
          onlyLogId: joined,
          onProgress: (done) => publisher.post({ type: 'progress', callId: importId, done, total: file.size }),
          isCancelled: () => cancelled.has(importId),
        });
        return { status: 'imported', ...summary };
      } catch (error) {
        imports -= 1;
        if (!(error instanceof FailureError)) throw error;
        return { status: 'failed', failure: error.failure };
      } finally {
        cancelled.delete(importId);
      }
    },
  };
}

const cutOff: Failure = {
  type: 'storage.failed',
  text: 'The export was cut off: the worker that read it was replaced. What was written is not whole. Export it again.',
};
