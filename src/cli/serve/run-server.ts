import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { restoreStore } from '../../server/dump-store.ts';
import { toNodeListener } from '../../server/node-listener.ts';
import { openPgliteDatabase } from '../../server/pglite-database.ts';
import { allowAll, authenticateTokens } from '../../server/policy.ts';
import { openPostgresDatabase } from '../../server/postgres-database.ts';
import type { ServerLimits } from '../../server/server-limits.ts';
import type { SqlDatabase } from '../../server/sql-database.ts';
import { openSqlSyncStore } from '../../server/sql-sync-store.ts';
import { describeError } from '../../server/sync-failure.ts';
import { createSyncHandler, type ServerLogEntry } from '../../server/sync-handler.ts';
import type { SyncStore } from '../../server/sync-store.ts';
import { readDumpLines, writeDump } from './dump-file.ts';
import { lockFolder } from './folder-lock.ts';

export interface ServeOptions {
  /** Has the database, its dumps, the lock and the token. */
  readonly dir: string;
  readonly host: string;
  readonly port: number;
  /** Read from the folder, or minted into it, where there is none. */
  readonly token: string | undefined;
  readonly origins: readonly string[];
  readonly databaseUrl: string | undefined;
  readonly restore: string | undefined;
  readonly isEpochRenewed: boolean;
  readonly dumpMinutes: number;
  readonly onLog: (entry: ServerLogEntry) => void;
}

export interface RunningServer {
  readonly url: string;
  readonly token: string;
  /** The file that the token is kept in; undefined where it was given. */
  readonly tokenFile: string | undefined;
  /** Whether this start has minted it: nobody has seen it yet. */
  readonly isTokenNew: boolean;
  /** Where the logs are, for people. */
  readonly place: string;
  readonly dumpFile: string | undefined;
  /** What was restored. */
  readonly restored: string | undefined;
  /** Finishes what is open, dumps, unlocks. Throws the first error of these, after all of them. */
  stop(): Promise<void>;
}

/**
 * One token stands for all devices of its owner: they share what is counted for one.
 *
 * An import may be one commit of tens of thousands of events, and has to be taken whole: a commit that is refused for its
 * size is withdrawn on the device that made it. A commit of 15 MiB is the largest that a client takes in a reply.
 */
const limits: Partial<ServerLimits> = {
  bodyBytes: 15 * 1_048_576,
  pushEvents: 100_000,
  requestsPerSecond: 2_000,
  requestBurst: 4_000,
  eventsPerSecond: 20_000,
  eventBurst: 50_000,
  streams: 1_000,
  // Whose disk it is, who has the token knows.
  logBytes: Number.MAX_SAFE_INTEGER,
};

/** Opens the folder and the database, and serves. Throws, and leaves nothing locked, where one of them does not open. */
export async function runServer(options: ServeOptions): Promise<RunningServer> {
  const { dir, databaseUrl, dumpMinutes, onLog } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  // PostgreSQL looks after itself, and any number of servers may use it.
  const lock = databaseUrl === undefined ? lockFolder(dir) : undefined;
  // Where the power went, what was acknowledged may be gone: under another epoch it is offered again at once.
  let needsNewEpoch = options.isEpochRenewed || lock?.wasLeft === true;
  const closing: (() => Promise<void>)[] = [async () => lock?.release(!needsNewEpoch)];
  try {
    const database = await openDatabase(dir, databaseUrl, onLog);
    closing.push(() => database.close());
    const store = await openSqlSyncStore(database);
    const restored = options.restore === undefined ? undefined : await restore(store, options.restore);
    if (needsNewEpoch) await store.renewEpoch();
    needsNewEpoch = false;
    const dumpFile = databaseUrl === undefined ? join(dir, 'dump.ndjson.gz') : undefined;
    const tokenFile = options.token === undefined ? join(dir, 'token') : undefined;
    const isTokenNew = tokenFile !== undefined && !existsSync(tokenFile);
    const token = options.token ?? readToken(join(dir, 'token'));
    const stopping = new AbortController();
    const handler = createSyncHandler({
      store,
      authenticate: authenticateTokens({ [token]: { id: 'owner' } }),
      authorise: allowAll,
      limits,
      origins: options.origins,
      log: onLog,
      signal: stopping.signal,
    });
    // Node gives a request five minutes: a client gives its largest commit four.
    const server = createServer(toNodeListener(handler));
    const url = await listen(server, options);
    // Not before it serves: a start that fails leaves the dumps as they are.
    if (dumpFile !== undefined) closing.push(keepDumping(store, dumpFile, dumpMinutes, onLog));
    closing.push(async () => {
      stopping.abort();
      await closeServer(server);
    });
    return {
      url,
      token,
      tokenFile,
      isTokenNew,
      place: databaseUrl === undefined ? dir : placeOf(databaseUrl),
      dumpFile,
      restored,
      stop: () => closeAll(closing),
    };
  } catch (error) {
    // Why it did not start is what its operator needs.
    await closeAll(closing).catch(() => undefined);
    throw error;
  }
}

/** Once each, the last that was opened first, whatever the ones before did. Throws the first error at the end. */
async function closeAll(closing: (() => Promise<void>)[]): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  for (const close of closing.splice(0).reverse()) {
    await close().catch((error: unknown) => {
      failure ??= { error };
    });
  }
  if (failure !== undefined) throw failure.error;
}

function openDatabase(
  dir: string,
  databaseUrl: string | undefined,
  onLog: ServeOptions['onLog'],
): Promise<SqlDatabase> {
  const onError = (error: Error) =>
    onLog({ level: 'error', route: 'database', status: 0, ms: 0, error: 'DATABASE', detail: describeError(error) });
  return databaseUrl === undefined
    ? openPgliteDatabase(join(dir, 'pglite'))
    : openPostgresDatabase(databaseUrl, { onError });
}

async function restore(store: SyncStore, path: string): Promise<string> {
  if (!existsSync(path)) throw new Error(`There is no file ${path} to restore.`);
  const { logs, commits, events } = await restoreStore(() => readDumpLines(path), store);
  return `${logs} logs, ${commits} commits, ${events} events`;
}

/** Dumps now and then where there is something new, and once more at the end. */
function keepDumping(
  store: SyncStore,
  path: string,
  minutes: number,
  onLog: ServeOptions['onLog'],
): () => Promise<void> {
  let dumped = '';
  let turn: Promise<void> = Promise.resolve();
  const dump = async () => {
    const heads = JSON.stringify(await store.listLogs());
    if (heads === dumped || heads === '[]') return;
    await writeDump(store, path);
    dumped = heads;
  };
  const next = () => {
    turn = turn.then(dump).catch((error: unknown) => {
      onLog({
        level: 'error',
        route: 'dump',
        status: 0,
        ms: 0,
        error: 'DUMP_FAILED',
        detail: describeError(error),
      });
    });
    return turn;
  };
  const timer = setInterval(() => void next(), minutes * 60_000);
  return () => {
    clearInterval(timer);
    return next();
  };
}

/** Others cannot be sent in a header, or are guessed. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]{16,1024}$/.test(text);
}

/** Only its owner may read the file. */
function readToken(path: string): string {
  if (existsSync(path)) {
    const kept = readFileSync(path, 'utf8').trim();
    if (isToken(kept)) return kept;
    throw new Error(`${path} holds no token: 16 characters or more, of ASCII, and no space. Delete it for a new one.`);
  }
  const token = randomBytes(24).toString('base64url');
  writeFileSync(path, `${token}\n`, { mode: 0o600 });
  return token;
}

function listen(server: Server, { host, port, onLog }: ServeOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => {
      // Out of file handles, say: those that are connected are served on.
      if (server.listening) {
        onLog({ level: 'error', route: 'listen', status: 0, ms: 0, error: 'LISTEN', detail: describeError(error) });
        return;
      }
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`Port ${port} of ${host} is in use. Name another with --port, or 0 for any that is free.`)
          : error,
      );
    });
    server.listen(port, host, () => {
      const address = server.address();
      const actual = typeof address === 'object' && address !== null ? address.port : port;
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${actual}`);
    });
  });
}

/** What is being answered is finished; who does not read the answer is not waited for. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 5_000).unref();
  });
}

/** Without its password. */
function placeOf(databaseUrl: string): string {
  if (!URL.canParse(databaseUrl)) return 'the database of DATABASE_URL';
  const { host, pathname } = new URL(databaseUrl);
  return `PostgreSQL at ${host}${pathname}`;
}
