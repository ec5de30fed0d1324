import type { Env } from '../core/env.ts';
import { chainStart } from '../protocol/commit-digest.ts';
import { requestResult } from './idb.ts';
import type { Staging } from './import-log.ts';
import { keysFrom, type LogRecord, plainFormat } from './log-record.ts';
import { type LinkedCommit, packCommits } from './pack-commits.ts';
import { commitCount } from './segment.ts';
import { extendBlocks, type IndexBlock, indexSegment } from './segment-index.ts';
import { fullSegment } from './segment-room.ts';

/** Runs in a read-write transaction over meta, segments, index, snapshots and pending, on the record of the log as it is. */
export type InStores = <Result>(
  durability: IDBTransactionDurability,
  work: (
    record: LogRecord,
    stores: {
      readonly meta: IDBObjectStore;
      readonly segments: IDBObjectStore;
      readonly index: IDBObjectStore;
      readonly snapshots: IDBObjectStore;
      readonly pending: IDBObjectStore;
    },
  ) => Promise<Result>,
) => Promise<Result>;

/**
 * Puts a log together beside the one in use: its segments stand under the next generation, which nobody reads before
 * the record names it. Full segments and index blocks are written at once; there is no tail to be sealed.
 */
export async function createDexieStaging(inStores: InStores, env: Env): Promise<Staging> {
  const generation = await inStores('relaxed', async (record, { segments, index }) => {
    const next = record.generation + 1;
    // What an import left that was killed.
    segments.delete(keysFrom(next, 0));
    index.delete(keysFrom(next, 0));
    return next;
  });
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
    writing = inStores('relaxed', async (_record, stores) => {
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
      const old = await inStores('strict', async (record, { meta, snapshots, pending }) => {
        snapshots.clear();
        // What sync keeps is of the log that was here: the imported one begins without it.
        pending.clear();
        // A client of its own: who wrote before may still write elsewhere.
        const { digest } = chainStart;
        const swapped: LogRecord = {
          ...plainFormat,
          ...(isBranched ? { isBranched } : {}),
          logId,
          replaces: record.logId,
          generation,
          head,
          order,
          client: env.newId(),
          clientSeq: 0,
          digest,
          sealed: head,
        };
        await requestResult(meta.put(swapped, 'log'));
        return record.generation;
      });
      // Behind the swap, and again before the next import: nobody reads it any more.
      await inStores('relaxed', async (_record, { segments, index }) => {
        segments.delete(keysFrom(old, 0));
        index.delete(keysFrom(old, 0));
      }).catch(() => undefined);
    },
    discard: async () => {
      await writing?.catch(() => undefined);
      await inStores('relaxed', async (record, { segments, index }) => {
        if (record.generation === generation) return;
        segments.delete(keysFrom(generation, 0));
        index.delete(keysFrom(generation, 0));
      }).catch(() => undefined);
    },
  };
}

function payloadSize({ payloads }: LinkedCommit): number {
  return payloads.reduce((sum, text) => sum + text.length, 0);
}
