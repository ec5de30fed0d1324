import { describe, expect, it } from 'vitest';
import { FailureError } from '../core/errors.ts';
import type { RecordedEvent } from '../core/events.ts';
import { chainStart, linkCommit } from '../protocol/commit-digest.ts';
import { bytesToHex } from '../protocol/hex.ts';
import { openDexieEventLog } from './dexie-event-log.ts';
import type { AppendCondition, EventLog, NewCommit, StoredCommit } from './event-log.ts';
// Loaded before they are needed: a storage that hangs is timed, and files are not.
import './dexie-synced-log.ts';
import './seal.ts';
import {
  type FaultKind,
  type FaultyStorage,
  faultKinds,
  patchStorage,
  type StorageFault,
} from './storage-faults.contract.ts';

/**
 * Any storage operation may fail, and no command is lost, doubled or torn by it.
 *
 * One script of commands and reads by two openings of a log is run again and again, each time with another operation
 * failing in another way. `only` runs one scenario, as the message of a failure names it: `kind:n` or `kind:n:times`.
 */
export function describeFaultInjection(every: number, only?: string): void {
  describe('the event log on a storage that fails', async () => {
    // The names of the tests say how many scenarios they run.
    const { counts, problems } = await measureScript();

    it('runs its script without a fault, sealing included', () => {
      expect(problems).toEqual([]);
      expect(counts.request).toBeGreaterThan(100);
    });

    if (only !== undefined) {
      it(`keeps every promise under the fault ${only}`, async () => {
        const [kind, n, times] = only.split(':');
        const fault = { kind: kind as FaultKind, n: Number(n), times: Number(times ?? 1) };
        expect(await runScenarios([fault])).toEqual([]);
      }, 30_000);
      return;
    }

    for (const kind of Object.keys(faultKinds) as FaultKind[]) {
      const faults: StorageFault[] = [];
      for (let n = 1; n <= counts[faultKinds[kind]]; n += variants.has(kind) ? 2 * every : every) {
        // Three in a row use up what the log tries by itself.
        faults.push({ kind, n, times: faults.length % 4 === 3 ? 3 : 1 });
      }
      it(`keeps every promise under the fault "${kind}" in ${faults.length} scenarios`, async () => {
        expect(await runScenarios(faults)).toEqual([]);
      }, 120_000);
    }
  });
}

/** They differ from another kind in the name of the error only: every second operation. */
const variants: ReadonlySet<FaultKind> = new Set(['throws-other', 'fails-other', 'fails-quota']);
const env = { now: () => 0, newId: () => crypto.randomUUID() };
const limitMs = 5_000;
/** Scenarios that run side by side: most of their time is waiting. */
const sideBySide = 8;

async function measureScript(): Promise<{
  counts: Record<'transaction' | 'request' | 'commit', number>;
  problems: readonly string[];
}> {
  const counts = { transaction: 0, request: 0, commit: 0 };
  const problems: string[] = [];
  const never = Number.MAX_SAFE_INTEGER;
  for (const kind of ['creation-lost', 'throws-lost', 'aborts-silently'] as const) {
    const storage = patchStorage();
    try {
      const outcome = await runScenario(storage, { kind, n: never });
      counts[faultKinds[kind]] = outcome.seen;
      problems.push(...outcome.problems);
      if (!outcome.sealed) problems.push('The script did not reach the sealing.');
      if (outcome.rejected > 0) problems.push('A command was rejected without a fault.');
    } finally {
      storage.restore();
    }
  }
  return { counts, problems };
}

/** @returns what went wrong, with the scenario to replay. */
async function runScenarios(faults: readonly StorageFault[]): Promise<string[]> {
  const storage = patchStorage();
  const left = [...faults];
  const problems: string[] = [];
  const worker = async () => {
    for (let fault = left.shift(); fault !== undefined; fault = left.shift()) {
      const outcome = await runScenario(storage, fault);
      const replay = `VARVE_FAULT=${fault.kind}:${fault.n}:${fault.times ?? 1}`;
      problems.push(...outcome.problems.map((problem) => `${replay} ${problem}`));
    }
  };
  try {
    await Promise.all(Array.from({ length: sideBySide }, worker));
  } finally {
    storage.restore();
  }
  return problems;
}

interface Outcome {
  readonly problems: readonly string[];
  readonly seen: number;
  readonly sealed: boolean;
  readonly rejected: number;
}

async function runScenario(storage: FaultyStorage, fault: StorageFault): Promise<Outcome> {
  const name = `test-${crypto.randomUUID()}`;
  const problems: string[] = [];
  const injected = storage.inject(name, fault);
  const run = createRun(name, problems, hanging.has(fault.kind) ? { hangMs: 60 } : {});
  await run.play();
  injected.remove();
  const sealed = await run.check();
  await new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = resolve;
    request.onerror = resolve;
    request.onblocked = resolve;
  });
  return { problems, seen: injected.seen, sealed, rejected: run.rejected() };
}

/** Only these make anybody wait: with the others, a machine that is busy must not look like a storage that hangs. */
const hanging: ReadonlySet<FaultKind> = new Set(['request-hangs', 'commit-untold', 'commit-hangs']);

function createRun(name: string, problems: string[], options: { readonly hangMs?: number }) {
  const receipts = new Map<string, readonly RecordedEvent[]>();
  const rejected = new Map<string, { readonly commit: NewCommit; readonly conflict: boolean }>();

  const open = () => openDexieEventLog({ name, env, ...options });

  /** Everything settles in time, and rejects with a failure that has a type. */
  async function settle<Result>(what: string, promise: Promise<Result>): Promise<Result | FailureError> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new RangeError(`did not settle in ${limitMs} ms`)), limitMs);
    });
    try {
      return await Promise.race([promise, late]);
    } catch (error) {
      if (error instanceof FailureError && expectedFailures.has(error.failure.type)) return error;
      problems.push(`${what}: ${String(error)}${error instanceof FailureError ? ` ${error.failure.type}` : ''}`);
      return error instanceof FailureError ? error : new FailureError({ type: 'engine.stopped', text: String(error) });
    } finally {
      clearTimeout(timer);
    }
  }

  async function openSettled(): Promise<EventLog> {
    for (let attempt = 1; ; attempt += 1) {
      const log = await settle('open', open());
      if (!(log instanceof FailureError)) return log;
      if (attempt === 5) throw new Error(`It cannot be opened: ${log.message}`);
    }
  }

  async function append(log: EventLog, commit: NewCommit, condition?: AppendCondition): Promise<void> {
    const { commandId } = commit;
    const result = await settle(
      commandId,
      log.write(
        async (transaction) => (await transaction.findCommit(commandId)) ?? transaction.append(commit, condition),
      ),
    );
    if (!(result instanceof FailureError)) receipts.set(commandId, result);
    else rejected.set(commandId, { commit, conflict: result.failure.type.endsWith('.conflict') });
  }

  /** Takes the last commits out and appends them again, as sync does where it finds nothing that comes before them. */
  async function rebase(log: EventLog): Promise<void> {
    const synced = await settle('openSync', log.openSync());
    if (synced instanceof FailureError) return;
    await settle(
      'rebase',
      synced.write(async (transaction) => {
        const commits = await transaction.readAfter(0);
        const cut = await transaction.cutAfter(commits.at(-4)?.g ?? 0);
        for (const { commit } of cut) await transaction.append({ ...commit, note: commit.clientSeq });
      }),
    );
  }

  async function read(log: EventLog, query: Parameters<EventLog['read']>[0]): Promise<void> {
    const events = await settle('read', collect(log.read(query)));
    if (events instanceof FailureError || query.stream !== undefined || query.tags !== undefined) return;
    const start = query.from ?? 1;
    for (const [index, { position }] of events.entries()) {
      if (position !== start + index) return void problems.push(`A read skipped to ${position}.`);
    }
  }

  async function play(): Promise<void> {
    const [a, b] = [await openSettled(), await openSettled()];
    for (let round = 1; round <= 4; round += 1) {
      await append(a, commitOf(`a${round}`, round));
      await append(b, commitOf(`b${round}`, 3 * round));
    }
    await Promise.all([append(a, commitOf('long', 620)), append(b, commitOf('beside', 2))]);
    await append(b, commitOf('half', 410));
    // The sealing waits a moment after a write.
    await new Promise((resolve) => setTimeout(resolve, 70));
    await append(a, commitOf('after', 3));
    await rebase(b);
    // Sent twice: once is enough.
    await append(b, commitOf('a1', 1));
    const seen = await settle('head', a.head());
    const after = seen instanceof FailureError ? 0 : seen;
    await append(a, commitOf('dcb', 2), { failIfEventsMatch: [{ tags: ['t-1'] }], after });
    await append(b, commitOf('refused', 2), { failIfEventsMatch: [{ tags: ['t-1'] }], after: 0 });
    await append(b, commitOf('scanned', 1), { failIfEventsMatch: [{}], after: after + 2 });
    await read(a, {});
    await read(b, { from: 600, limit: 50 });
    await read(b, { stream: 's-1' });
    await read(a, { tags: ['t-2'], limit: 20 });
    for (let round = 1; round <= 4; round += 1) {
      await Promise.all([append(a, commitOf(`c${round}`, 1)), append(b, commitOf(`d${round}`, round))]);
    }
    const revisions = await settle('revisions', b.revisions(['s-0', 's-3']));
    const expected = revisions instanceof FailureError ? undefined : { 's-0': revisions[0] ?? -1 };
    await append(a, commitOf('expecting', 2), ...(expected === undefined ? [] : [{ expectedRevisions: expected }]));
    a.close();
    b.close();
  }

  /** On a storage that works again. */
  async function check(): Promise<boolean> {
    const log = await openSettled();
    const before = rejected.size === 0 ? [] : await collect(log.readCommits());
    for (const [commandId] of rejected) {
      if (before.filter((commit) => commit.commandId === commandId).length > 1)
        problems.push(`${commandId} is doubled.`);
    }
    for (const [commandId, { commit, conflict }] of [...rejected]) {
      if (conflict) {
        if (before.some((each) => each.commandId === commandId))
          problems.push(`${commandId} was refused and is there.`);
        continue;
      }
      rejected.delete(commandId);
      await append(log, commit);
      if (rejected.has(commandId)) problems.push(`${commandId} is still rejected.`);
    }
    problems.push(...checkLog(log.logId, await collect(log.readCommits()), await collect(log.read({})), receipts));
    log.close();
    return isSealed(name);
  }

  return { play, check, rejected: () => [...rejected.values()].filter(({ conflict }) => !conflict).length };
}

/** What may go wrong without a bug of ours. */
const expectedFailures = new Set([
  'storage.failed',
  'storage.quota-exceeded',
  'storage.unavailable',
  'append.conflict',
  'stream.conflict',
]);

function checkLog(
  logId: string,
  commits: readonly StoredCommit[],
  events: readonly RecordedEvent[],
  receipts: ReadonlyMap<string, readonly RecordedEvent[]>,
): string[] {
  const problems: string[] = [];
  const revisions = new Map<string, number>();
  for (const [index, { position, stream, revision }] of events.entries()) {
    if (position !== index + 1) problems.push(`Position ${position} stands at ${index + 1}.`);
    if (revision !== (revisions.get(stream) ?? -1) + 1)
      problems.push(`Revision ${revision} of ${stream} at ${position}.`);
    revisions.set(stream, revision);
  }
  if (textOf(commits.flatMap((commit) => commit.events)) !== textOf(events)) {
    problems.push('Commits and events differ.');
  }
  let end = chainStart;
  for (const { events: own, orderHash, ...head } of commits) {
    end = linkCommit(
      logId,
      head,
      own,
      own.map(({ data }) => JSON.stringify(data)),
      end,
    );
    if (bytesToHex(end.order) !== orderHash) problems.push(`The chain breaks at ${head.commandId}.`);
  }
  for (const [commandId, receipt] of receipts) {
    const found = commits.filter((commit) => commit.commandId === commandId);
    if (found.length !== 1) problems.push(`${commandId} was acknowledged and is stored ${found.length} times.`);
    if (textOf(found[0]?.events) !== textOf(receipt)) problems.push(`${commandId} is not what was told.`);
  }
  for (const { commandId } of commits) {
    if (!receipts.has(commandId)) problems.push(`${commandId} is stored and was never acknowledged.`);
  }
  return problems;
}

/** Field by field: some events come with their fields in another order. */
function textOf(events: readonly RecordedEvent[] | undefined): string {
  return JSON.stringify(
    events?.map(({ id, stream, revision, position, type, version, data, tags, meta }) => {
      const { commandId, correlationId, causationId, recordedAt } = meta;
      const lineage = [commandId, correlationId, causationId, recordedAt];
      return [id, stream, revision, position, type, version, data, tags, lineage];
    }),
  );
}

function commitOf(commandId: string, count: number): NewCommit {
  const events = Array.from({ length: count }, (_, index) => ({
    stream: `s-${index % 5}`,
    type: index % 3 === 0 ? 'Opened' : 'Noted',
    version: 1,
    // Keys in order: its JSON text is the canonical one.
    data: { commandId, index },
    ...(index % 4 === 0 ? { tags: [`t-${count % 3}`] } : {}),
  }));
  return { commandId, correlationId: commandId, recordedAt: 0, events };
}

async function collect<Item>(pages: AsyncIterable<readonly Item[]>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const page of pages) all.push(...page);
  return all;
}

function isSealed(name: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction('meta');
      const request = transaction.objectStore('meta').get('log');
      transaction.oncomplete = () => {
        opening.result.close();
        resolve(request.result.sealed > 0);
      };
    };
  });
}
