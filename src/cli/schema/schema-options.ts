import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { App } from '../../core/app.ts';
import { loadApp } from '../load-app.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

/** What both schema commands are told. */
export interface SchemaOptions {
  readonly app: App;
  /** The module, as it was named. */
  readonly module: string;
  /** The lock file, as it was named and as it is opened. */
  readonly file: string;
  readonly path: string;
  /** An exported log, if one was named. */
  readonly log: string | undefined;
  /** Whether the command's own switch was given. */
  readonly isSwitched: boolean;
}

export const optionsHelp: string = `  --file FILE      the lock file; varve.schema.json if not told
  --log FILE       a log that the app exported (client.export), as NDJSON
  --export NAME    which export is the app, where the module has several`;

/** Reads the command line and loads the app. `ownSwitch` is the one option without a value that the command has. */
export async function readOptions(
  args: readonly string[],
  { folder }: Terminal,
  ownSwitch: string,
): Promise<SchemaOptions> {
  const { values, positionals } = parse(args, ownSwitch);
  const [module, ...more] = positionals;
  if (module === undefined) throw new UsageError('Name the module that has the app: src/bank.ts, for example.');
  if (more.length > 0) throw new UsageError(`One module at a time: "${more.join(' ')}" is too much.`);
  const { file = 'varve.schema.json', log, export: exportName, [ownSwitch]: isSwitched } = values;
  return {
    app: await loadApp(folder, module, exportName),
    module,
    file,
    path: resolve(folder, file),
    log: log === undefined ? undefined : resolve(folder, log),
    isSwitched: isSwitched === true,
  };
}

function parse(args: readonly string[], ownSwitch: string) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        file: { type: 'string' },
        log: { type: 'string' },
        export: { type: 'string' },
        [ownSwitch]: { type: 'boolean' },
      },
    }) as {
      readonly values: {
        readonly file?: string;
        readonly log?: string;
        readonly export?: string;
        readonly [name: string]: unknown;
      };
      readonly positionals: readonly string[];
    };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
