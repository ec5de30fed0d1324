import { describe, it } from 'vitest';
import { chainStart, orderHash } from '../protocol/commit-digest.ts';
import { bytesToHex, hexToBytes } from '../protocol/hex.ts';
import { noHash, type SyncCommit, toCanonicalCommit } from '../protocol/sync-commit.ts';
import { assertEqual } from '../testing/assert.ts';
import { readAll, readAllCommits } from '../testing/conformance/log-access.ts';
import { filterOf, type Random, range, recordedOf, seededRandom } from '../testing/conformance/sample-commits.ts';
import type { EventLog, NewCommit } from './event-log.ts';
import { type SyncedLogFactory, toChecked } from './synced-log.contract.ts';
import type { SyncedLog, SyncTransaction } from './synced-log.ts';

/** How many steps of a random run, and the seeds of the runs. */
export interface SyncedModelRuns {
  readonly seeds: readonly number[];
  readonly steps: number;
}

/** Law: whatever is pulled, cut, appended and given up, by two who have it open, the log is what a list of commits says. */
export function describeSyncedModel(name: string, factory: SyncedLogFactory, { seeds, steps }: SyncedModelRuns): void {
  describe(name, () => {
    for (const seed of seeds) {
      it(`agrees with a list of commits after each of ${steps} random steps (seed ${seed})`, async () => {
        await runSteps(factory, seed, steps);
      }, 120_000);
    }
  });
}

/** The list: commits as they travel, and where the server's end. */
interface Model {
  commits: readonly SyncCommit[];
  confirmed: number;
  notes: ReadonlyMap<string, unknown>;
}

async function runSteps(factory: SyncedLogFactory, seed: number, steps: number): Promise<void> {
  const random = seededRandom(seed);
  const { log, open } = await factory();
  const logs: [EventLog, EventLog] = [log, await open()];
  const synced: SyncedLog[] = [await logs[0].openSync(), await logs[1].openSync()];
  const told = [0, 0];
  const listen = (at: 0 | 1) => {
    logs[at].onRebase(() => {
      told[at] = logs[at].order.rebases;
    });
    told[at] = logs[at].order.rebases;
  };
  listen(0);
  listen(1);
  const others = ['ann', 'bob'].map((client) => ({ client, clientSeq: 0, prev: noHash }));
  let model: Model = { commits: [], confirmed: 0, notes: new Map() };
  let names = 0;
  const newId = () => {
    names += 1;
    return `c${names}`;
  };

  for (const step of range(1, steps)) {
    const at = random.pick([0, 1] as const);
    const about = `seed ${seed}, step ${step}`;
    const kind = random.below(12);
    if (kind < 4) {
      const added = range(0, random.below(3)).map(() => newCommit(newId(), random));
      const written = await logs[at].write(async (transaction) => {
        for (const commit of added) await transaction.append(commit);
        return transaction.head;
      });
      assertEqual(written, sizeOf(model.commits) + sizeOf(added), `${about}: the head`);
      // What they were written after, only the log knows.
      model = { ...model, commits: [...model.commits, ...(await travelling(synced[at], model.commits, added))] };
      for (const { commandId, note } of added) {
        if (note !== undefined) model = { ...model, notes: new Map([...model.notes, [commandId, note]]) };
      }
    } else if (kind < 10) {
      model = await changeOrder(synced[at], model, { logId: log.logId, random, others, newId, about });
    } else if (kind === 10) {
      logs[at].close();
      logs[at] = await open();
      synced[at] = await logs[at].openSync();
      listen(at);
    } else {
      assertEqual(await logs[at].verify(), { status: 'verified', events: sizeOf(model.commits) }, about);
    }
    await compare(logs[at], model, random, about);
    assertEqual(told[at], logs[at].order.rebases, `${about}: what the opening was told`);
    assertEqual(
      logs[at].order.confirmed,
      sizeOf(model.commits.slice(0, model.confirmed)),
      `${about}: what is confirmed`,
    );
  }
  for (const each of logs) {
    assertEqual(await each.verify(), { status: 'verified', events: sizeOf(model.commits) }, `seed ${seed}, at the end`);
    each.close();
  }
}

/** A transaction of sync, of which each cut, commit and append is done to the list too; given up now and then. */
async function changeOrder(
  synced: SyncedLog | undefined,
  model: Model,
  {
    logId,
    random,
    others,
    newId,
    about,
  }: {
    readonly logId: string;
    readonly random: Random;
    readonly others: { client: string; clientSeq: number; prev: string }[];
    readonly newId: () => string;
    readonly about: string;
  },
): Promise<Model> {
  const gaveUp = new Error('Thought better of it.');
  const savedOthers = others.map((other) => ({ ...other }));
  const givesUp = random.below(5) === 0;
  let next = model;
  const change = synced?.write(async (transaction) => {
    for (const _turn of range(0, random.below(2))) {
      const kept =
        random.below(4) === 0
          ? random.below(next.commits.length + 1)
          : next.confirmed + random.below(Math.max(1, next.commits.length - next.confirmed + 1));
      const cut = await transaction.cutAfter(sizeOf(next.commits.slice(0, kept)));
      assertEqual(
        cut.map(({ commit }) => commit),
        next.commits.slice(kept),
        `${about}: what was cut`,
      );
      next = { ...next, commits: next.commits.slice(0, kept), confirmed: Math.min(next.confirmed, kept) };
      for (const _place of range(1, random.below(4))) {
        const commit = writeAs(random.pick(others), newCommit(newId(), random), logId);
        await transaction.place(toChecked(commit));
        next = { ...next, commits: [...next.commits, commit] };
      }
      if (random.below(6) === 0) transaction.renewClient();
      for (const { commit } of cut) {
        if (random.below(8) === 0) continue;
        next = { ...next, commits: [...next.commits, await again(transaction, commit, random)] };
      }
      await compareInside(transaction, next, about);
    }
    if (random.below(2) === 0) {
      const confirmed = next.confirmed + random.below(next.commits.length - next.confirmed + 1);
      next = { ...next, confirmed };
    }
    const g = sizeOf(next.commits.slice(0, next.confirmed));
    transaction.setBase({ epoch: 'e', g, oh: orderHashes(next.commits)[next.confirmed - 1] ?? noHash });
    if (random.below(3) === 0) {
      const id = random.pick([...next.notes.keys(), 'none']);
      transaction.beside.delete('note', id);
      const notes = new Map(next.notes);
      notes.delete(id);
      next = { ...next, notes };
    }
    if (givesUp) throw gaveUp;
  });
  try {
    await change;
    return next;
  } catch (error) {
    if (error !== gaveUp) throw error;
    others.splice(0, others.length, ...savedOthers);
    return model;
  }
}

/** Back in the log: as it was written, or written anew by this client. */
async function again(transaction: SyncTransaction, commit: SyncCommit, random: Random): Promise<SyncCommit> {
  const { commandId, correlationId, recordedAt, events } = commit;
  if (random.below(2) === 0) await transaction.place(toChecked(commit));
  else await transaction.append({ commandId, correlationId, recordedAt, events });
  const [appended] = await transaction.readAfter(transaction.head - events.length);
  assertEqual(appended?.commit.events, events, 'the events of what was appended again');
  return appended?.commit ?? commit;
}

async function compareInside(transaction: SyncTransaction, { commits, notes }: Model, about: string): Promise<void> {
  const all = recordedOf(commits.map(toNew));
  assertEqual(transaction.head, all.length, `${about}: the head in the transaction`);
  assertEqual(transaction.end, { g: all.length, oh: orderHashes(commits).at(-1) ?? noHash }, `${about}: its end`);
  const ofStream = filterOf(all, { stream: 's-1' });
  assertEqual(await transaction.readStream('s-1', 2), ofStream.slice(2), `${about}: a stream in the transaction`);
  assertEqual(
    await transaction.readMatching([{ types: ['Odd'] }, { tags: ['t'] }], 3),
    filterOf(all, { anyOf: [{ types: ['Odd'] }, { tags: ['t'] }], from: 4 }),
    `${about}: what matches in the transaction`,
  );
  for (const commandId of ['c1', commits.at(-1)?.commandId ?? 'c2']) {
    const found = all.filter(({ meta }) => meta.commandId === commandId);
    assertEqual(
      await transaction.findCommit(commandId),
      found.length === 0 ? undefined : found,
      `${about}: ${commandId}`,
    );
  }
  const ids = [...notes.keys()];
  assertEqual(await transaction.beside.get('note', ids), [...notes.values()], `${about}: notes`);
  assertEqual(await transaction.beside.count('note'), ids.length, `${about}: how many notes`);
}

async function compare(log: EventLog, { commits }: Model, random: Random, about: string): Promise<void> {
  const all = recordedOf(commits.map(toNew));
  const streams = ['s-0', 's-1', 's-2', 'none'];
  const revisions = streams.map((stream) => all.findLast((event) => event.stream === stream)?.revision ?? -1);
  assertEqual(await log.revisions(streams), revisions, `${about}: revisions`);
  const from = random.below(all.length + 1);
  const queries = [{ from }, { stream: 's-1' }, { tags: ['t'], backwards: true }, { backwards: true, limit: 5 }];
  for (const query of queries) {
    assertEqual(await readAll(log, query), filterOf(all, query), `${about}: ${JSON.stringify(query)}`);
  }
  const stored = await readAllCommits(log);
  assertEqual(
    stored.map(({ orderHash: hash, prev, client, clientSeq }) => ({ hash, prev, client, clientSeq })),
    orderHashes(commits).map((hash, index) => {
      const { prev, client, clientSeq } = commits[index] as SyncCommit;
      return { hash, prev, client, clientSeq };
    }),
    `${about}: links`,
  );
}

/** What was just appended after these commits, as it travels: its links are the log's to say. */
async function travelling(
  synced: SyncedLog | undefined,
  before: readonly SyncCommit[],
  added: readonly NewCommit[],
): Promise<readonly SyncCommit[]> {
  const read = await synced?.write((transaction) => transaction.readAfter(sizeOf(before)));
  assertEqual(
    read?.map(({ commit }) => [commit.commandId, commit.events.length]),
    added.map(({ commandId, events }) => [commandId, events.length]),
    'what was appended',
  );
  return read?.map(({ commit }) => commit) ?? [];
}

function newCommit(commandId: string, random: Random): NewCommit {
  const size = random.below(40) === 0 ? 530 : 1 + random.below(3);
  const events = range(1, size).map((index) => ({
    stream: `s-${random.below(3)}`,
    type: index % 2 === 0 ? 'Even' : 'Odd',
    version: 1,
    data: { index },
    ...(random.below(4) === 0 ? { tags: ['t'] } : {}),
  }));
  const note = random.below(2) === 0 ? { note: { commandId } } : {};
  return { commandId, correlationId: commandId, recordedAt: random.below(100), events, ...note };
}

/** The next commit of somebody else; now and then one that follows no other, as one that was recovered. */
function writeAs(
  other: { client: string; clientSeq: number; prev: string },
  { commandId, correlationId, recordedAt, events }: NewCommit,
  logId: string,
): SyncCommit {
  other.clientSeq += 1;
  const prev = other.clientSeq % 5 === 3 ? 'cd'.repeat(32) : other.prev;
  const { client, clientSeq } = other;
  const commit = { logId, commandId, correlationId, recordedAt, client, clientSeq, prev, events };
  other.prev = toCanonicalCommit(commit).digest;
  return commit;
}

function toNew({ commandId, correlationId, recordedAt, events }: SyncCommit): NewCommit {
  return { commandId, correlationId, recordedAt, events };
}

function orderHashes(commits: readonly SyncCommit[]): string[] {
  let { order } = chainStart;
  let position = 0;
  return commits.map((commit) => {
    position += commit.events.length;
    order = orderHash(order, hexToBytes(toCanonicalCommit(commit).digest), position);
    return bytesToHex(order);
  });
}

function sizeOf(commits: readonly Pick<NewCommit, 'events'>[]): number {
  return commits.reduce((sum, { events }) => sum + events.length, 0);
}
