import { isIP } from 'node:net';
import { resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { isOrigin } from '../server/cors.ts';
import type { CliCommand } from './command.ts';
import { isToken, type RunningServer, runServer, type ServeOptions } from './serve/run-server.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

const help = `varve serve [options]

Serves sync: keeps logs, and gives each of them one order. Its database is in the folder, and needs nothing
installed but the package @electric-sql/pglite; with DATABASE_URL it is that PostgreSQL, by the package pg.

  --dir DIR        the folder of the database, its dumps and the token; .varve if not told
  --port PORT      4180 if not told; 0 for any that is free
  --host HOST      127.0.0.1 if not told: this machine alone. Put a proxy with TLS before any other
  --token TOKEN    who sends it may do everything; VARVE_TOKEN does the same. Minted into the folder if not told
  --origin ORIGIN  a page that may speak to the server, as http://localhost:5173; may be given several times
  --restore FILE   put a dump into an empty folder first
  --renew-epoch    after the database was restored by its own tools: tells every client to look what is common
  --dump-minutes N how often to dump what is new, besides at the end; 60 if not told

The database in the folder is safe against a killed process, not against a power cut: keep the dumps elsewhere too.

  npx varve serve --origin http://localhost:5173
  DATABASE_URL=postgres://varve@127.0.0.1/varve npx varve serve

Exit code: 0 stopped by a signal, 1 it could not start, 2 the command line is wrong.`;

/** `varve serve`: a server of sync, until it is told to stop. */
export const serve: CliCommand = {
  name: 'serve',
  summary: 'keep the logs of an app for its devices, and their order',
  help,
  run: async (args, terminal) => {
    const { print, style } = terminal;
    const stopped = waitForSignal().then((signal) => print(`${signal}: finishing what is open.`));
    const options = readOptions(args, terminal);
    const server = await runServer(options);
    print(`${style('green', '✓')} ${style('bold', server.url)} serves the logs in ${server.place}`);
    if (server.restored !== undefined) print(`    restored  ${server.restored}`);
    if (server.dumpFile !== undefined) print(`    dumps     ${server.dumpFile}`);
    print(`    token     ${describeToken(server)}`);
    print(style('dim', '    Ctrl+C ends it.'));
    await stopped;
    await server.stop();
    return 0;
  },
};

/** Said once, by the start that minted it: what is printed is often kept, and read by others. */
function describeToken({ token, tokenFile, isTokenNew }: RunningServer): string {
  if (isTokenNew) return `${token}  (new, and kept in ${tokenFile})`;
  return tokenFile === undefined ? 'as it was given, by --token or VARVE_TOKEN' : `as it stands in ${tokenFile}`;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One Ctrl+C is two signals under npx: npm sends on what the terminal sends to both (npm/cli#8164). */
const echoMs = 1_000;

/** Resolves with the first signal. One that comes later than its echo ends the process at once, as without us. */
function waitForSignal(): Promise<string> {
  return new Promise((resolve) => {
    let toldAt: number | undefined;
    const take = (signal: NodeJS.Signals) => {
      if (toldAt === undefined) {
        toldAt = performance.now();
        resolve(signal);
      } else if (performance.now() - toldAt > echoMs) {
        for (const one of signals) process.off(one, take);
        process.kill(process.pid, signal);
      }
    };
    for (const signal of signals) process.on(signal, take);
  });
}

function readOptions(args: readonly string[], { folder, printError }: Terminal): ServeOptions {
  const { env } = process;
  const values = parse(args);
  const { host = '127.0.0.1', token = env.VARVE_TOKEN || undefined, restore, origin = [] } = values;
  if (isIP(host) === 0 && host !== 'localhost') throw new UsageError(`"${host}" is no address to listen on.`);
  if (token !== undefined && !isToken(token)) {
    throw new UsageError('A token has 16 characters or more, of ASCII, and no space.');
  }
  for (const one of origin) {
    if (!isOrigin(one)) throw new UsageError(`"${one}" is no origin: write it as http://localhost:5173.`);
  }
  return {
    dir: resolve(folder, values.dir ?? '.varve'),
    host,
    port: toNumber('port', values.port ?? '4180', 0, 65_535),
    token,
    origins: origin,
    databaseUrl: env.DATABASE_URL || undefined,
    restore: restore === undefined ? undefined : resolve(folder, restore),
    isEpochRenewed: values['renew-epoch'] === true,
    dumpMinutes: toNumber('dump-minutes', values['dump-minutes'] ?? '60', 1, 10_000),
    onLog: createLogPrinter(printError),
  };
}

/** Errors as they are, and each origin once whose pages are refused: a page asks again and again. */
function createLogPrinter(printError: Terminal['printError']): ServeOptions['onLog'] {
  const refused = new Set<string>();
  return (entry) => {
    if (entry.level === 'error') printError(JSON.stringify(entry));
    const { origin } = entry;
    // Whoever sends a new one each time does not fill the terminal.
    if (origin === undefined || refused.has(origin) || refused.size >= maxRefused) return;
    refused.add(origin);
    printError(`Refused: pages of ${JSON.stringify(origin)}. If they are yours, start with --origin and their origin.`);
  };
}

const maxRefused = 100;

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        dir: { type: 'string' },
        port: { type: 'string' },
        host: { type: 'string' },
        token: { type: 'string' },
        origin: { type: 'string', multiple: true },
        restore: { type: 'string' },
        'renew-epoch': { type: 'boolean' },
        'dump-minutes': { type: 'string' },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function toNumber(name: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < min || number > max) {
    throw new UsageError(`--${name} is a whole number from ${min} to ${max}, and not "${text}".`);
  }
  return number;
}
