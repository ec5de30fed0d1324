import type { Env } from '../core/env.ts';
import { FailureError } from '../core/errors.ts';
import { chainStart } from '../protocol/commit-digest.ts';
import { bytesToHex } from '../protocol/hex.ts';
import { requestResult } from './idb.ts';
import { refusal, type StageOptions, type Staging } from './import-log.ts';
import { type LogRecord, plainFormat, requireLogRecord } from './log-record.ts';
import { type LinkedCommit, packCommits } from './pack-commits.ts';
import { commitCount } from './segment.ts';
import { extendBlocks, type IndexBlock, indexSegment } from './segment-index.ts';
import { fullSegment } from './segment-room.ts';

interface StagingStores {
  readonly meta: IDBObjectStore;
  readonly segments: IDBObjectStore;
  readonly index: IDBObjectStore;
  readonly snapshots: IDBObjectStore;
  readonly pending: IDBObjectStore;
}

/** Runs in a read-write transaction over these stores. */
export type InStores = <Result>(
  durability: IDBTransactionDurability,
  work: (stores: StagingStores) => Promise<Result>,
) => Promise<Result>;

export interface DexieStagingOptions extends StageOptions {
  readonly name: string;
  /** The log that is open, and would be replaced. */
  readonly own: Pick<LogRecord, 'logId' | 'generation'>;
  readonly env: Env;
}

/** Where the ticket of the import lies, of several the one that began last, in the `meta` store. */
const ticketKey = 'import';

/**
 * Puts a log together beside the one in use: its segments stand under the next generation, which nobody reads before
 * the record names it. Full segments and index blocks are written at once; there is no tail to be sealed.
 *
 * Of several imports, also of several tabs, only the one that began last goes on, for they write under the same keys,
 * and nobody can tell one that was killed from one that runs.
 */
export async function createDexieStaging(
  inStores: InStores,
  { name, own, replace, importId, env }: DexieStagingOptions,
): Promise<Staging> {
  const generation = own.generation + 1;
  const ticket = env.newId();
  const begun = await inStores('relaxed', async (stores) => {
    const record = await requireLogRecord(stores.meta, name, own);
    if (record.importId === importId) return record;
    if (record.head > 0 && !replace) {
      throw new FailureError(
        refusal('this device already holds events', 'Export them first, then import with `replace`.'),
      );
    }
    // What an import left that was killed, before its swap or right after it, or that has to give way to this one.
    keepGeneration(stores, own.generation);
    stores.meta.put(ticket, ticketKey);
    return record;
  });
  if (begun.importId === importId) return nothingToStage;

  /** The record of the log, as long as it is still there and no other import has begun. */
  async function requireTurn({ meta }: StagingStores): Promise<LogRecord> {
    const record = await requireLogRecord(meta, name, own);
    if ((await requestResult(meta.get(ticketKey))) === ticket) return record;
    throw new FailureError(refusal('another import began after it', 'Wait for that one.'));
  }

  let waiting: LinkedCommit[] = [];
  /** Digest of each client's last commit, and whether one of them follows another than that. */
  const ends = new Map<string, Uint8Array>();
  let isBranched = false;
  let waitingEvents = 0;
  let waitingSize = 0;
  let head = 0;
  let order = chainStart.order;
  let block: IndexBlock | undefined;
  let writing: Promise<void> | undefined;

  /** Stores all that fills segments; at the end, all. */
  async function store(isEnd: boolean): Promise<void> {
    const segments = packCommits(head + 1, waiting);
    // The last one may have room: its commits wait for more. A piece of a long commit stands alone.
    const hasRoom = !isEnd && segments.at(-1)?.piece === undefined;
    const open = hasRoom ? segments.pop() : undefined;
    const from = waiting.length - (open === undefined ? 0 : commitCount(open));
    waiting = waiting.slice(from);
    waitingEvents = waiting.reduce((sum, { events }) => sum + events.length, 0);
    waitingSize = waiting.reduce((sum, commit) => sum + payloadSize(commit), 0);
    if (segments.length === 0) return;
    const blocks = extendBlocks(block, segments.map(indexSegment));
    const replaced = block;
    // One part is written while the next is read and checked.
    await writing;
    writing = inStores('relaxed', async (stores) => {
      await requireTurn(stores);
      for (const segment of segments) stores.segments.put(segment, [generation, segment.last]);
      if (replaced !== undefined) stores.index.delete([generation, replaced.last]);
      for (const each of blocks) stores.index.put(each, [generation, each.last]);
    });
    // Told by the next part, or by the end.
    writing.catch(() => undefined);
    block = blocks.at(-1);
    head = segments.at(-1)?.last ?? head;
  }

  return {
    append: async (commits) => {
      for (const commit of commits) {
        waiting.push(commit);
        const end = ends.get(commit.head.client) ?? chainStart.digest;
        isBranched ||= !commit.prev.every((byte, at) => byte === end[at]);
        ends.set(commit.head.client, commit.digest);
        waitingEvents += commit.events.length;
        waitingSize += payloadSize(commit);
        order = commit.after;
      }
      // Some forty segments at a time.
      if (waitingEvents > 40 * fullSegment.events || waitingSize > 40 * fullSegment.bytes) await store(false);
    },
    swapIn: async (logId) => {
      await store(true);
      await writing;
      await inStores('strict', async (stores) => {
        const { meta, snapshots, pending } = stores;
        const now: LogRecord | undefined = await requestResult(meta.get('log'));
        // Run again, for nobody heard that it was stored.
        if (now?.importId === importId) return;
        const record = await requireTurn(stores);
        if (record.client !== begun.client || bytesToHex(record.digest) !== bytesToHex(begun.digest)) {
          throw new FailureError(
            refusal('something was saved here while it was read', 'Export that first, then import with `replace`.'),
          );
        }
        snapshots.clear();
        // What sync keeps is of the log that was here: the imported one begins without it.
        pending.clear();
        meta.delete(ticketKey);
        const swapped: LogRecord = {
          ...plainFormat,
          ...(isBranched ? { isBranched } : {}),
          logId,
          replaces: own.logId,
          importId,
          generation,
          head,
          order,
          // Of its own: who wrote before may still write elsewhere.
          client: env.newId(),
          clientSeq: 0,
          digest: chainStart.digest,
          sealed: head,
        };
        meta.put(swapped, 'log');
      });
      // Behind the swap, and again before the next import: nobody reads it any more. Of this database only: one that
      // was deleted meanwhile begins with the first generation again.
      await inStores('relaxed', async (stores) => {
        await requireLogRecord(stores.meta, name, { logId, generation });
        keepGeneration(stores, generation);
      }).catch(() => undefined);
    },
    discard: async () => {
      await writing?.catch(() => undefined);
      await inStores('relaxed', async (stores) => {
        await requireTurn(stores);
        keepGeneration(stores, own.generation);
        stores.meta.delete(ticketKey);
      }).catch(() => undefined);
    },
  };
}

/** Of an import that is done: its file is read once more for what it holds. */
const nothingToStage: Staging = {
  append: async () => undefined,
  swapIn: async () => undefined,
  discard: async () => undefined,
};

/** Deletes what stands under the keys of every other. */
function keepGeneration({ segments, index }: StagingStores, generation: number): void {
  for (const store of [segments, index]) {
    store.delete(IDBKeyRange.upperBound([generation], true));
    store.delete(IDBKeyRange.lowerBound([generation + 1]));
  }
}

function payloadSize({ payloads }: LinkedCommit): number {
  return payloads.reduce((sum, text) => sum + text.length, 0);
}
