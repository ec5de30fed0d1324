import { FailureError } from '../core/errors.ts';
import { chainStart } from '../protocol/commit-digest.ts';
import { requestResult } from './idb.ts';
import { keysFrom, type LogRecord } from './log-record.ts';
import type { ViewStores } from './log-view.ts';
import { startOfCommit, toOrdered } from './read-ordered.ts';
import { packSegment, type Segment, unpackSegment } from './segment.ts';
import { missing } from './storage-error.ts';
import { createLinker, type LinkedWholeCommit } from './stored-commits.ts';
import type { OrderedCommit } from './synced-log.ts';

/** What was cut, and the ends of what is left. */
export interface Cut {
  readonly commits: readonly OrderedCommit[];
  readonly end: Pick<LogRecord, 'head' | 'order' | 'sealed'>;
}

/** Segments between two turns of the event loop: a worker that answers nothing for long is taken for dead. */
const pageSegments = 32;

/** Takes every commit after position `g` out of the stores of the transaction at hand; throws where none ends there. */
export async function cutSegments(record: LogRecord, stores: ViewStores, g: number): Promise<Cut> {
  const { generation, head, logId } = record;
  const { segments, index } = stores;
  if (g > head || g < 0) throw noCommitEnds(g, head);
  const from = await startOfCommit(record, segments, g + 1);
  const link = createLinker(logId);
  const linked: LinkedWholeCommit[] = [];
  let straddling: Segment | undefined;
  for (let at = from; at <= head; ) {
    const page: Segment[] = await requestResult(segments.getAll(keysFrom(generation, at, head), pageSegments));
    straddling ??= page[0];
    for (const segment of page) {
      for (const commit of link(segment)) linked.push(commit);
      segments.delete([generation, segment.last]);
    }
    at = (page.at(-1)?.last ?? head) + 1;
  }
  if (straddling === undefined || straddling.first > g + 1) throw new FailureError(missing(g + 1, head));
  const kept = linked.filter(({ commit }) => commit.last <= g);
  const cut = linked.slice(kept.length);
  // A commit that straddles it, whole or in pieces, begins before.
  if ((cut[0]?.commit.first ?? g + 1) !== g + 1) throw noCommitEnds(g, head);
  const order = kept.at(-1)?.order ?? straddling.before;
  if (kept.length > 0) {
    const commits = unpackSegment(straddling).slice(0, kept.length);
    segments.put(packSegment(straddling.first, commits, straddling.before, order), [generation, g]);
  }
  const sealed = g < record.sealed ? await cutIndex(record, index, g) : record.sealed;
  const end = { head: g, order: g === 0 ? chainStart.order : order, sealed };
  return { commits: cut.map((each) => toOrdered(logId, each)), end };
}

/** Drops the blocks that reach beyond a position: what they were of is the tail again. @returns the end of the others. */
async function cutIndex({ generation }: LogRecord, index: IDBObjectStore, g: number): Promise<number> {
  index.delete(keysFrom(generation, g + 1));
  const newest = index.openKeyCursor(keysFrom(generation, 0, g), 'prev');
  const cursor = await requestResult(newest);
  const key: IDBValidKey | undefined = cursor?.key;
  return Array.isArray(key) && typeof key[1] === 'number' ? key[1] : 0;
}

function noCommitEnds(g: number, head: number): Error {
  return new Error(`The log cannot be cut after position ${g}: no commit ends there. Its head is ${head}.`);
}
