import { describe, expect, it } from 'vitest';
import { createRandom } from '../testing/random.ts';
import { openDexieEventLog } from './dexie-event-log.ts';
import type { EventLog, NewCommit } from './event-log.ts';
import { requestResult } from './idb.ts';
import { type Segment, segmentCommandIds } from './segment.ts';
import type { IndexBlock } from './segment-index.ts';

const env = { now: () => 0, newId: () => crypto.randomUUID().replaceAll('-', '') };

/** T11: whatever byte of the stored log is changed, `verify` says so, and from which position on. */
export function describeTampering(tampers: number, seed = 1): void {
  describe('a log that was tampered with', () => {
    it(`is noticed, with the right position, ${tampers} times of ${tampers} (seed ${seed})`, async () => {
      const random = createRandom(seed);
      const name = `tamper-${crypto.randomUUID()}`;
      const log = await openDexieEventLog({ name, env });
      await fill(log, random);
      const events = await log.head();
      expect(await log.verify()).toEqual({ status: 'verified', events });
      const database = await openRaw(name);
      const stored = await readStored(database);
      expect(stored.filter(({ store }) => store === 'index').length).toBeGreaterThan(0);
      const commits = await readCommitEnds(log);
      for (let turn = 0; turn < tampers; turn += 1) {
        const { store, key, value } = stored[Math.floor(random() * stored.length)] as Stored;
        const changed = structuredClone(value);
        const field = change(changed, random);
        await putRaw(database, store, key, changed);
        const found = await log.verify().catch((error: unknown) => String(error));
        const about = `seed ${seed}, turn ${turn}: ${store} ${JSON.stringify(key)} ${field.join('.')}`;
        if (typeof found === 'string') expect(found, about).toMatch(/FailureError/);
        else {
          expect(found.status, about).toBe('broken');
          const [first, last] = expectedRange(store, value, field, commits, events);
          const position = 'position' in found ? found.position : -1;
          expect([position, position >= first && position <= last], `${about}, ${first} to ${last}`).toEqual([
            position,
            true,
          ]);
        }
        await putRaw(database, store, key, value);
      }
      expect(await log.verify()).toEqual({ status: 'verified', events });
      database.close();
      log.close();
    }, 120_000);
  });
}

/** Commits of one and of several events, with tags and lineage, one in pieces; most of it sealed. */
async function fill(log: EventLog, random: () => number): Promise<void> {
  for (let turn = 0; turn < 40; turn += 1) {
    await log.write(async (transaction) => {
      for (let index = 0; index < 40; index += 1) await transaction.append(randomCommit(random, 1 + (index % 3)));
      if (turn === 20) await transaction.append(randomCommit(random, 700));
    });
  }
  // The sealing runs behind the writes; a tail is left.
  for (let waited = 0; waited < 50; waited += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await log.write((transaction) => transaction.append(randomCommit(random, 2)));
}

function randomCommit(random: () => number, events: number): NewCommit {
  const commandId = env.newId();
  const pick = (count: number) => Math.floor(random() * count);
  return {
    commandId,
    correlationId: pick(3) === 0 ? `root-${pick(5)}` : commandId,
    ...(pick(4) === 0 ? { causationId: `cause-${pick(5)}` } : {}),
    recordedAt: 1_700_000_000_000 + pick(1000),
    events: Array.from({ length: events }, () => ({
      stream: `account-${pick(60)}`,
      type: pick(2) === 0 ? 'Deposited' : 'Withdrawn',
      version: 1 + pick(2),
      data: { amount: pick(1000), note: `note ${pick(100)}` },
      ...(pick(3) === 0 ? { tags: [`tag:${pick(4)}`] } : {}),
    })),
  };
}

interface Stored {
  readonly store: 'segments' | 'index' | 'meta';
  readonly key: IDBValidKey;
  readonly value: unknown;
}

/** Changes one leaf somewhere inside, and tells the way to it. */
function change(value: unknown, random: () => number): (string | number)[] {
  const path: (string | number)[] = [];
  let at = value as Record<string | number, unknown>;
  for (;;) {
    const keys = ArrayBuffer.isView(at)
      ? Array.from(at as unknown as Uint8Array, (_, index) => index)
      : Object.keys(at);
    const key = keys[Math.floor(random() * keys.length)];
    // An empty list: a stranger in it.
    if (key === undefined) {
      (at as unknown as unknown[]).push('x');
      return path;
    }
    path.push(key);
    const child = at[key];
    if (typeof child === 'object' && child !== null) {
      at = child as Record<string | number, unknown>;
      continue;
    }
    at[key] = changedLeaf(child, random);
    return path;
  }
}

function changedLeaf(leaf: unknown, random: () => number): unknown {
  if (typeof leaf === 'number') return leaf === 0 ? 1 : leaf ^ 1;
  if (typeof leaf !== 'string') return 'x';
  const at = Math.floor(random() * leaf.length);
  return `${leaf.slice(0, at)}${leaf[at] === '~' ? '!' : '~'}${leaf.slice(at + 1)}`;
}

/** Where the first commit that the change concerns begins and ends, worked out from the field alone. */
function expectedRange(
  store: Stored['store'],
  value: unknown,
  [field, place]: readonly (string | number)[],
  commits: readonly (readonly [number, number])[],
  events: number,
): readonly [number, number] {
  const holding = (position: number) => commits.find(([, last]) => last >= position) ?? [events, events];
  if (store === 'meta') return [1, events + 1];
  if (store === 'index') {
    const { first, last } = value as IndexBlock;
    return [first, last];
  }
  const segment = value as Segment;
  const eventAt = (wanted: (at: number) => boolean) =>
    holding(segment.first + Array.from(segment.streamOf).findIndex((_, at) => wanted(at)));
  const commitAt = (index: number) => {
    let at = 0;
    for (let commit = 0; commit < index; commit += 1) at += segment.counts?.[commit] ?? 1;
    return holding(segment.first + at);
  };
  switch (field) {
    case 'streamOf':
    case 'typeOf':
    case 'tagsOf':
      return eventAt((at) => at === Number(place));
    case 'firstRevisions':
      return eventAt((at) => segment.streamOf[at] === Number(place));
    case 'types':
    case 'versions':
      return eventAt((at) => segment.typeOf[at] === Number(place));
    case 'tags':
      return eventAt((at) => segment.tagsOf?.[at]?.includes(Number(place)) === true);
    case 'commandIds':
      return commitAt(segment.commandIds instanceof Uint8Array ? Math.floor(Number(place) / 16) : Number(place));
    case 'correlationIds':
    case 'causationIds':
    case 'marks':
    case 'counts':
    case 'recordedAfter':
      return commitAt(Number(place));
    case 'after':
      return commitAt(segmentCommandIds(segment).length - 1);
    case 'payloads':
    case 'streams':
      // In the middle of a text or between two: somewhere in this segment.
      return [holding(segment.first)[0], holding(segment.last)[1]];
    default:
      return holding(segment.first);
  }
}

async function readCommitEnds(log: EventLog): Promise<(readonly [number, number])[]> {
  const ends: (readonly [number, number])[] = [];
  for await (const page of log.readCommits()) {
    for (const { events } of page) ends.push([events[0]?.position ?? 0, events.at(-1)?.position ?? 0]);
  }
  return ends;
}

function openRaw(name: string): Promise<IDBDatabase> {
  return requestResult(indexedDB.open(name));
}

async function readStored(database: IDBDatabase): Promise<Stored[]> {
  const stored: Stored[] = [];
  const transaction = database.transaction(['segments', 'index', 'meta']);
  for (const store of ['segments', 'index', 'meta'] as const) {
    const objects = transaction.objectStore(store);
    const [keys, values] = await Promise.all([requestResult(objects.getAllKeys()), requestResult(objects.getAll())]);
    for (const [index, key] of keys.entries()) stored.push({ store, key, value: values[index] });
  }
  return stored;
}

function putRaw(database: IDBDatabase, store: string, key: IDBValidKey, value: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(store, 'readwrite');
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    transaction.objectStore(store).put(value, key);
  });
}
