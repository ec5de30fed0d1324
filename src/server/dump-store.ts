import { orderHash } from '../protocol/commit-digest.ts';
import { bytesToHex, hexToBytes } from '../protocol/hex.ts';
import { type Fields, Refusal, readHash, readId, readInteger, readStoredText, readStrict } from '../protocol/parse.ts';
import { noHash, readSyncCommit, toCanonicalCommit } from '../protocol/sync-commit.ts';
import type { SyncPlace } from '../protocol/sync-messages.ts';
import { readActorId } from './policy.ts';
import type { PlacedCommit, SyncStore } from './sync-store.ts';

/** How much a dump or a restore went through. */
export interface DumpSummary {
  readonly logs: number;
  readonly commits: number;
  readonly events: number;
}

const page = { events: 1_000, bytes: 4_194_304 };

/**
 * A store as NDJSON that any store can be restored from: a header, each log with its commits, and an end without which
 * it is not whole. The texts of commits are the bytes that their digests cover.
 *
 * Pushes go on meanwhile: of each log it has a whole beginning. The epoch is left out: what is restored gets its own.
 */
export async function* dumpStore(store: SyncStore): AsyncGenerator<string, DumpSummary> {
  yield '{"varve":"server","format":1}\n';
  const logs = await store.listLogs();
  let [commits, events] = [0, 0];
  for (const { logId, app, head } of logs) {
    yield `${JSON.stringify({ log: logId, app, head })}\n`;
    for (let after = 0; after < head.g; ) {
      const stored = await store.readCommits(logId, after, page);
      if (stored.length === 0) throw new Error(`The log ${logId} ends at ${after}, and its head is ${head.g}.`);
      for (const { g, oh, text, isRecovered, actor, receivedAt } of stored) {
        if (g > head.g) break;
        const around = JSON.stringify({ g, oh, recovered: isRecovered, actor, receivedAt });
        yield `${around.slice(0, -1)},"commit":${text}}\n`;
        commits += 1;
      }
      after = stored.at(-1)?.g ?? head.g;
    }
    events += head.g;
  }
  const summary = { logs: logs.length, commits, events };
  yield `${JSON.stringify({ end: summary })}\n`;
  return summary;
}

/**
 * Puts a dump into a store without commits. Everything is checked first, every link of every chain: throws with the line
 * that is wrong, and then nothing was written.
 *
 * Where the store fails before the first commits, the same dump can be restored again: logs that are empty are taken.
 * Where it fails later, the store is not to be served: a restore needs another one, which is empty.
 */
export async function restoreStore(readLines: () => AsyncIterable<string>, store: SyncStore): Promise<DumpSummary> {
  const logs = await store.listLogs();
  if (logs.some(({ head }) => head.g > 0)) {
    throw new Error('The server has commits already: a dump is restored into an empty one. Nothing was changed.');
  }
  const apps = new Map(logs.map(({ logId, app }) => [logId, app]));
  await readDump(readLines(), {
    openLog: async (logId, app) => {
      if ((apps.get(logId) ?? app) !== app)
        throw new Refusal('app', 'is another one than that of the log on the server');
    },
    take: async () => undefined,
  });
  return store.restore(() =>
    readDump(readLines(), {
      openLog: async (logId, app) => void (await store.createLog(logId, app)),
      take: async (logId, commits) => void (await store.write(logId, (transaction) => transaction.append(commits))),
    }),
  );
}

interface DumpSink {
  openLog(logId: string, app: string): Promise<void>;
  take(logId: string, commits: readonly PlacedCommit[]): Promise<void>;
}

/** What one statement stores: a larger one is too slow for a database, or longer than a text may be. */
const maxBatch = { commits: 200, length: 4_194_304 };

async function readDump(lines: AsyncIterable<string>, sink: DumpSink): Promise<DumpSummary> {
  let number = 0;
  let [logs, commits, events] = [0, 0, 0];
  let log: DumpedLog | undefined;
  let batch: PlacedCommit[] = [];
  let length = 0;
  let isWhole = false;
  const flush = async () => {
    if (log !== undefined && batch.length > 0) await sink.take(log.logId, batch);
    batch = [];
    length = 0;
  };

  async function take(line: string): Promise<void> {
    const value: unknown = JSON.parse(line);
    if (isWhole) throw new Refusal('', 'comes after the end');
    if (number === 1) {
      const { varve, format } = readStrict(value, '', ['varve', 'format']);
      if (varve !== 'server' || format !== 1) throw new Refusal('', 'is not the header of a dump that is known here');
      return;
    }
    const fields = Object(value) as Fields;
    if ('log' in fields || 'end' in fields) {
      await flush();
      log?.end();
    }
    if ('end' in fields) {
      const same = JSON.stringify(fields.end) === JSON.stringify({ logs, commits, events });
      if (!same) throw new Refusal('end', 'is not what was read');
      isWhole = true;
      return;
    }
    if ('log' in fields) {
      log = readLogLine(value);
      await sink.openLog(log.logId, log.app);
      logs += 1;
      return;
    }
    if (log === undefined) throw new Refusal('', 'belongs to no log');
    const placed = log.place(value);
    commits += 1;
    events += placed.commit.events.length;
    if (batch.length === maxBatch.commits || length + placed.text.length > maxBatch.length) await flush();
    batch.push(placed);
    length += placed.text.length;
  }

  for await (const line of lines) {
    if (line === '') continue;
    number += 1;
    try {
      await take(line);
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof SyntaxError)) throw error;
      const what = error instanceof Refusal ? `${error.path} ${error.message}` : 'is not JSON';
      throw new Error(`The dump cannot be restored: line ${number} ${what.trim()}. Choose another dump.`, {
        cause: error,
      });
    }
  }
  if (!isWhole) throw new Error('The dump cannot be restored: its end is missing. Choose another dump.');
  return { logs, commits, events };
}

interface DumpedLog {
  readonly logId: string;
  readonly app: string;
  place(value: unknown): PlacedCommit;
  /** Throws where it does not end as its line said. */
  end(): void;
}

function readLogLine(value: unknown): DumpedLog {
  const { log, app, head } = readStrict(value, '', ['log', 'app', 'head']);
  const { g, oh } = readStrict(head, 'head', ['g', 'oh']);
  const logId = readId(log, 'log');
  const expected = { g: readInteger(g, 'head.g'), oh: readHash(oh, 'head.oh') };
  const revisions = new Map<string, number>();
  let last: SyncPlace = { g: 0, oh: noHash };
  return {
    logId,
    app: readStoredText(app, 'app', 256),
    place: (line) => {
      const fields = readStrict(line, '', ['g', 'oh', 'recovered', 'actor', 'receivedAt', 'commit']);
      const commit = readSyncCommit(fields.commit, 'commit');
      if (commit.logId !== logId) throw new Refusal('commit.logId', 'is another log');
      const { text, digest } = toCanonicalCommit(commit);
      const end = last.g + commit.events.length;
      last = { g: end, oh: bytesToHex(orderHash(hexToBytes(last.oh), hexToBytes(digest), end)) };
      if (fields.g !== last.g || fields.oh !== last.oh) throw new Refusal('oh', 'does not match its link');
      return {
        ...last,
        text,
        digest,
        commit,
        bytes: new TextEncoder().encode(text).length,
        isRecovered: fields.recovered === true,
        actor: readActorId(fields.actor, 'actor'),
        receivedAt: readInteger(fields.receivedAt, 'receivedAt'),
        revisions: commit.events.map(({ stream }) => {
          const revision = (revisions.get(stream) ?? -1) + 1;
          revisions.set(stream, revision);
          return revision;
        }),
      };
    },
    end: () => {
      if (last.g !== expected.g || last.oh !== expected.oh) throw new Refusal('', 'comes before the head of its log');
    },
  };
}
