import { createReadStream, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { FailureError } from '../../core/errors.ts';
import { importLog } from '../../log/import-log.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import type { StoredPayload } from './read-as-newest.ts';

export interface ReadLogOptions {
  /** The name that the log must be of. */
  readonly app: string;
  readonly terminal: Terminal;
  readonly onPayload: (payload: StoredPayload, position: number) => void;
}

/**
 * Reads an exported log, some lines at a time, and tells each payload as it is stored.
 *
 * It is read as an import would, so every link of it is checked; and it is put nowhere.
 */
export async function readLog(file: string, { app, terminal, onPayload }: ReadLogOptions): Promise<number> {
  const total = statSync(file, { throwIfNoEntry: false })?.size;
  if (total === undefined) throw new UsageError(`There is no file ${file}. --log takes a log that the app exported.`);
  let position = 0;
  try {
    const bytes = Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>;
    await importLog(
      bytes,
      {
        append: async (commits) => {
          for (const { events, payloads } of commits) {
            for (const [index, { type, version }] of events.entries()) {
              position += 1;
              onPayload({ type, version, data: JSON.parse(payloads[index] ?? 'null') }, position);
            }
          }
        },
        swapIn: async () => undefined,
        discard: async () => undefined,
      },
      {
        app,
        onProgress: (done) =>
          terminal.progress(
            `Reading ${file}: ${Math.floor((100 * done) / Math.max(1, total))} %, ${position.toLocaleString('en')} events`,
          ),
      },
    );
    return position;
  } catch (error) {
    if (error instanceof FailureError) throw new Error(`${file}: ${error.message}`, { cause: error });
    throw error;
  } finally {
    terminal.progress('');
  }
}
