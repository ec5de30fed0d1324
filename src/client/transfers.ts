import { FailureError } from '../core/errors.ts';
import type { Checked, Imported, Progress } from '../protocol/engine-api.ts';
import { randomId } from '../protocol/random-id.ts';
import { cancelled } from './cancelled.ts';
import type { Connection } from './connection.ts';

export type ProgressListener = (progress: { readonly done: number; readonly total: number }) => void;

export interface ImportOptions {
  /** Gives up the events that are there; without it an import into a log that has some is refused. */
  readonly replace?: boolean;
  /** Bytes of the file. */
  readonly onProgress?: ProgressListener;
  /** Cancels while nothing is replaced: the answer is then `failed` with `engine.cancelled`. */
  readonly signal?: AbortSignal;
}

/** What goes over the whole log: checking it, taking it out, putting another in its place. */
export interface Transfers {
  /** Checks every stored event against the chains, in the worker, beside other work. */
  verify(options?: { readonly onProgress?: ProgressListener }): Promise<Checked>;
  /** The whole log as NDJSON with its chains; read from disk as fast as it is taken. Fails with a `FailureError`. */
  export(): ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * Puts an exported file in the place of the log, once every link of it was checked: all of it, or nothing. Resolves
   * when the open mirrors show it. Refused where there are events already, unless `replace` says to give them up; where
   * something was saved meanwhile, also by another tab, for that is never given up unseen; and where another import
   * has begun since.
   */
  import(file: Blob, options?: ImportOptions): Promise<Imported>;
}

/** `onImported` shows the new log; the import ends when it has. */
export function createTransfers(
  connection: Connection,
  progressListeners: Map<string, (progress: Progress) => void>,
  onImported: (imported: { readonly events: number }) => Promise<void>,
): Transfers {
  /** Runs a call of the worker that tells its progress under an id of its own. */
  async function follow<Answer>(
    onProgress: ProgressListener | undefined,
    call: (id: string) => Promise<Answer>,
  ): Promise<Answer | { readonly status: 'failed'; readonly failure: FailureError['failure'] }> {
    const id = randomId();
    if (onProgress !== undefined) progressListeners.set(id, ({ done, total }) => onProgress({ done, total }));
    try {
      return await call(id);
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      return { status: 'failed', failure: error.failure };
    } finally {
      progressListeners.delete(id);
    }
  }

  return {
    verify: ({ onProgress } = {}) =>
      follow<Checked>(onProgress, (id) => connection.call<Checked>(async (api) => api.verify(id))),
    export: () => {
      const exportId = randomId();
      let taken = 0;
      return new ReadableStream({
        pull: async (controller) => {
          const piece = await connection.call((api) => api.exportNext(exportId, taken));
          taken += 1;
          if (piece === undefined) controller.close();
          else controller.enqueue(piece);
        },
        // A page that is closed, or a worker that is gone, has nothing left to end.
        cancel: () => connection.call((api) => api.endExport(exportId)).catch(() => undefined),
      });
    },
    import: (file, { replace = false, onProgress, signal } = {}) =>
      follow<Imported>(onProgress, async (id) => {
        if (signal?.aborted) return cancelled(id);
        const cancel = () => void connection.call((api) => api.cancel(id)).catch(() => undefined);
        signal?.addEventListener('abort', cancel);
        try {
          const imported = await connection.call<Imported>(async (api) => {
            // Where the worker that heard of it was replaced.
            if (signal?.aborted) void api.cancel(id);
            return api.import(id, file, { replace });
          });
          if (imported.status === 'imported') await onImported(imported);
          return imported;
        } finally {
          signal?.removeEventListener('abort', cancel);
        }
      }),
  };
}
