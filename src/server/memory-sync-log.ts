import { matchesFilter } from '../core/event-query.ts';
import { noHash } from '../protocol/sync-commit.ts';
import type { SyncPlace } from '../protocol/sync-messages.ts';
import type { ClientLast, FirstMatch, KnownCommit, PlacedCommit, SyncMatch } from './sync-store.ts';

/** The commits of one log in memory, found by place, id, author and stream. Only ever added to. */
export interface MemorySyncLog {
  readonly commits: readonly PlacedCommit[];
  readonly head: SyncPlace | undefined;
  /** Of all canonical texts. */
  readonly bytes: number;
  add(placed: PlacedCommit): void;
  /** The commit that ends at a position. */
  at(g: number): PlacedCommit | undefined;
  /** Index of the first commit that ends after a position. */
  indexAfter(g: number): number;
  byId(commandId: string): KnownCommit | undefined;
  /** Recovered commits took no number. */
  bySeq(client: string, seq: number): KnownCommit | undefined;
  /** Recovered commits included. */
  has(client: string, seq: number, digest: string): boolean;
  /** Recovered commits included. */
  clientLast(client: string): ClientLast | undefined;
  /** −1 where the stream has no event. */
  revision(stream: string): number;
  firstMatch: FirstMatch<SyncMatch | undefined>;
}

export function createMemorySyncLog(from: readonly PlacedCommit[] = []): MemorySyncLog {
  const commits: PlacedCommit[] = [];
  const byId = new Map<string, KnownCommit>();
  const authors = new Map<string, Author>();
  const revisions = new Map<string, number>();
  let bytes = 0;

  function add(placed: PlacedCommit): void {
    const { g, digest, commit, isRecovered } = placed;
    const known = { id: commit.commandId, g, seq: commit.clientSeq, digest };
    commits.push(placed);
    bytes += placed.bytes;
    byId.set(commit.commandId, known);
    const author = authors.get(commit.client) ?? { bySeq: new Map(), recovered: new Set(), last: placed };
    authors.set(commit.client, author);
    if (isRecovered) author.recovered.add(linkOf(known));
    else author.bySeq.set(commit.clientSeq, known);
    if (commit.clientSeq >= author.last.commit.clientSeq) author.last = placed;
    for (const [index, { stream }] of commit.events.entries()) revisions.set(stream, placed.revisions[index] ?? 0);
  }

  function indexAfter(g: number): number {
    let [low, high] = [0, commits.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((commits[middle] as PlacedCommit).g > g) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  for (const placed of from) add(placed);
  return {
    commits,
    get head() {
      const last = commits.at(-1);
      return last && { g: last.g, oh: last.oh };
    },
    get bytes() {
      return bytes;
    },
    add,
    at: (g) => {
      const found = commits[indexAfter(g) - 1];
      return found?.g === g ? found : undefined;
    },
    indexAfter,
    byId: (commandId) => byId.get(commandId),
    bySeq: (client, seq) => authors.get(client)?.bySeq.get(seq),
    has: (client, seq, digest) => {
      const author = authors.get(client);
      return author?.bySeq.get(seq)?.digest === digest || author?.recovered.has(linkOf({ seq, digest })) === true;
    },
    clientLast: (client) => {
      const last = authors.get(client)?.last;
      return last && { seq: last.commit.clientSeq, id: last.commit.commandId, digest: last.digest };
    },
    revision: (stream) => revisions.get(stream) ?? -1,
    firstMatch: (filters, after, { client, beforeSeq }) => {
      for (const { g, commit, revisions: own } of commits.slice(indexAfter(after))) {
        if (commit.client === client && commit.clientSeq < beforeSeq) continue;
        for (const [index, event] of commit.events.entries()) {
          const position = g - commit.events.length + index + 1;
          if (position <= after || !filters.some((filter) => matchesFilter(event, filter))) continue;
          return { stream: event.stream, revision: own[index] ?? 0, g: position };
        }
      }
      return undefined;
    },
  };
}

interface Author {
  readonly bySeq: Map<number, KnownCommit>;
  /** Those that took no number. */
  readonly recovered: Set<string>;
  last: PlacedCommit;
}

function linkOf({ seq, digest }: Pick<KnownCommit, 'seq' | 'digest'>): string {
  return `${seq} ${digest}`;
}

export const emptyPlace: SyncPlace = Object.freeze({ g: 0, oh: noHash });
