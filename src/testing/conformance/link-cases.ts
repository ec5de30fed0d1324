import { toCanonicalJson } from '../../core/json.ts';
import type { EventLog, StoredCommit } from '../../log/event-log.ts';
import { type ChainEnd, chainStart, linkCommit } from '../../protocol/commit-digest.ts';
import { assertEqual } from '../assert.ts';
import type { ConformanceCases } from './conformance-case.ts';
import { append, appendAll, readAll, readAllCommits } from './log-access.ts';
import { commitOf, range, recordedOf, sampleCommits } from './sample-commits.ts';

/** Commits as they were stored, each linked to the one before. */
export const linkCases: ConformanceCases = {
  'gives back whole commits, with what stands around their events': async ({ log }) => {
    const commits = sampleCommits(200, 8);
    await appendAll(log, commits);
    const stored = await readAllCommits(log);
    assertEqual(
      stored.map(({ client: _client, clientSeq: _seq, prev: _prev, orderHash: _hash, events, ...head }) => ({
        ...head,
        size: events.length,
      })),
      commits.map(({ events, ...head }) => ({ ...head, size: events.length })),
    );
    assertEqual(
      stored.flatMap(({ events }) => events),
      recordedOf(commits),
    );
  },

  'gives commits from the one that holds a position': async ({ log }) => {
    await appendAll(log, sampleCommits(160, 9));
    const all = await readAllCommits(log);
    const last = all.at(-1)?.events.at(-1)?.position ?? 0;
    const long = all[140]?.events ?? [];
    const ends = [long[0]?.position ?? 0, long[1]?.position ?? 0, long[350]?.position ?? 0, long.at(-1)?.position ?? 0];
    for (const from of [1, 2, 5, 6, 7, 100, ...ends, (ends[3] ?? 0) + 1, last - 1, last, last + 1, last + 100]) {
      const expected = all.filter(({ events }) => (events.at(-1)?.position ?? 0) >= from);
      assertEqual(await readAllCommits(log, from), expected, `commits from position ${from} on`);
    }
    assertEqual(await readAllCommits(log, 0), all, 'commits from position 0 on');
  },

  'gives no commits of an empty log': async ({ log }) => {
    assertEqual(await readAllCommits(log), []);
    assertEqual(await readAllCommits(log, 5), []);
  },

  'gives the commits of a long log in pages of which none is empty': async ({ log }) => {
    const streams = range(1, 2000).map((number) => `a-${number % 7}`);
    for (const index of range(1, 6)) await append(log, commitOf(`c${index}`, streams));
    await appendAll(log, sampleCommits(300, 10));
    const sizes: number[] = [];
    for await (const page of log.readCommits()) sizes.push(page.length);
    assertEqual(sizes.includes(0), false, 'an empty page of commits');
    assertEqual(
      sizes.reduce((sum, size) => sum + size, 0),
      306,
    );
  },

  'links every commit to the one before, over all that it holds': async ({ log, open }) => {
    await appendAll(log, sampleCommits(80, 11));
    const other = await open();
    for (const index of range(1, 10)) {
      await append(index % 2 === 0 ? log : other, commitOf(`more-${index}`, ['a-1', 'a-2']));
    }
    const commits = await readAllCommits(log);
    assertEqual(commits.length, 90);
    assertLinked(log, commits);
    assertEqual(await readAllCommits(other), commits);
  },

  'numbers the commits of each client from 1 without gaps': async ({ log, open }) => {
    const writers = [log, await open(), await open()];
    await Promise.all(
      writers.map(async (writer, number) => {
        for (const index of range(1, 10)) await append(writer, commitOf(`w${number}-${index}`, ['a-1']));
      }),
    );
    const numbers = new Map<string, number>();
    for (const { client, clientSeq, commandId } of await readAllCommits(log)) {
      const expected = (numbers.get(client) ?? 0) + 1;
      assertEqual([typeof client, client === ''], ['string', false], `the client of "${commandId}"`);
      assertEqual(clientSeq, expected, `running number of "${commandId}" of client "${client}"`);
      numbers.set(client, expected);
    }
  },

  'leaves no trace in the links of what was refused or undone': async ({ log }) => {
    await append(log, commitOf('c1', ['a-1']));
    const undone = log.write(async (transaction) => {
      await transaction.append(commitOf('c2', ['a-1']));
      throw new Error('changed my mind');
    });
    await undone.catch(() => undefined);
    await append(log, commitOf('c3', []), {}).catch(() => undefined);
    await append(log, commitOf('c4', ['a-1']), { expectedRevisions: { 'a-1': 7 } }).catch(() => undefined);
    await log.write(async (transaction) => {
      const refused = transaction.append(commitOf('c5', ['a-1']), { failIfEventsMatch: [{}] });
      await refused.catch(() => undefined);
      await transaction.append(commitOf('c6', ['a-1']));
      await transaction.append(commitOf('c7', ['a-1']));
    });
    const commits = await readAllCommits(log);
    assertEqual(
      commits.map(({ commandId, clientSeq }) => [commandId, clientSeq]),
      [
        ['c1', 1],
        ['c6', 2],
        ['c7', 3],
      ],
    );
    assertLinked(log, commits);
    assertEqual((await readAll(log)).length, 3);
  },
};

/** Computes both chains anew from their start: the author's of each client, and the order of all. */
function assertLinked(log: EventLog, commits: readonly StoredCommit[]): void {
  const digests = new Map<string, Uint8Array>();
  let { order } = chainStart;
  for (const commit of commits) {
    const end: ChainEnd = { order, digest: digests.get(commit.client) ?? chainStart.digest };
    const payloads = commit.events.map(({ data }) => {
      const canonical = toCanonicalJson(data);
      return 'text' in canonical ? canonical.text : `not JSON: ${canonical.problem}`;
    });
    const linked = linkCommit(log.logId, commit, commit.events, payloads, end);
    assertEqual(commit.orderHash, toHex(linked.order), `order hash of "${commit.commandId}"`);
    digests.set(commit.client, linked.digest);
    order = linked.order;
  }
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
