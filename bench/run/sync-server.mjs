// The server of the sync rows: the real handler on PGlite in a folder, without the limits of rate that a public one has;
// and what its database can do by itself, which is what the rows are compared with.
import { join } from 'node:path';
import { createJiti } from 'jiti';
import { root } from '../../scripts/installed.mjs';

const unlimited = { requestsPerSecond: 1e9, requestBurst: 1e9, eventsPerSecond: 1e9, eventBurst: 1e9 };

/** Commits in one transaction, and events of one page: as many as a client may send and ask for. */
const batch = { commits: 256, events: 1_000, bytes: 1_048_576 };

export async function createSyncServer() {
  const jiti = createJiti(import.meta.url);
  const load = (path) => jiti.import(join(root, 'src', path));
  const { allowAll, authenticateTokens, createSyncHandler, openPgliteDatabase, openSqlSyncStore } =
    await load('server/index.ts');
  const { toNodeListener } = await load('server/node-listener.ts');
  let opened;

  return {
    /** Answers what is below /sync/; calls `next` for the rest. */
    listen: (request, response, next) => {
      if (opened !== undefined && request.url.startsWith('/sync/')) opened.listener(request, response);
      else next();
    },
    /** Begins with an empty database in a folder. */
    open: async (folder) => {
      const database = await openPgliteDatabase(folder);
      const store = await openSqlSyncStore(database);
      const authenticate = authenticateTokens({ bench: { id: 'bench' } });
      const handler = createSyncHandler({ store, authenticate, authorise: allowAll, limits: unlimited });
      opened = { store, listener: toNodeListener(handler) };
    },
    close: async () => {
      const { store } = opened ?? {};
      opened = undefined;
      await store?.close();
    },
    /** How long the database takes to hand out a log, page after page. */
    timeReading: async (logId) => {
      const start = performance.now();
      await readAll(opened.store, logId);
      return performance.now() - start;
    },
    /** How long the database of another folder takes to take in the same commits, in transactions of as many as a push has. */
    timeInserting: async (logId, folder) => {
      const commits = toPlaced(await readAll(opened.store, logId));
      const database = await openPgliteDatabase(folder);
      const store = await openSqlSyncStore(database);
      await store.createLog(logId, 'bench');
      const start = performance.now();
      for (let at = 0; at < commits.length; at += batch.commits) {
        await store.write(logId, (transaction) => transaction.append(commits.slice(at, at + batch.commits)));
      }
      const ms = performance.now() - start;
      await store.close();
      return ms;
    },
  };
}

async function readAll(store, logId) {
  const commits = [];
  for (let page = []; ; ) {
    page = await store.readCommits(logId, commits.at(-1)?.g ?? 0, batch);
    if (page.length === 0) return commits;
    commits.push(...page);
  }
}

function toPlaced(commits) {
  const next = new Map();
  return commits.map((stored) => {
    const commit = JSON.parse(stored.text);
    const revisions = commit.events.map(({ stream }) => {
      const revision = next.get(stream) ?? 0;
      next.set(stream, revision + 1);
      return revision;
    });
    // Not that of the commit: a database stores one like another.
    return { ...stored, commit, digest: stored.oh, bytes: Buffer.byteLength(stored.text), revisions };
  });
}
