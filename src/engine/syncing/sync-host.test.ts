import { describe, expect, it } from 'vitest';
import type { App } from '../../core/app.ts';
import { defineApp, defineDecision, defineEvents, reject, shape, versions, view } from '../../core/index.ts';
import { createUpcaster } from '../../core/upcast.ts';
import type { EventLog, StreamEvent } from '../../log/event-log.ts';
import { createMemoryEventLog, type MemoryEventLog } from '../../log/memory-event-log.ts';
import type { SyncedLog } from '../../log/synced-log.ts';
import { orderHash } from '../../protocol/commit-digest.ts';
import type { ExecuteRequest } from '../../protocol/engine-api.ts';
import { bytesToHex, hexToBytes } from '../../protocol/hex.ts';
import { noHash, type SyncCommit, toCanonicalCommit } from '../../protocol/sync-commit.ts';
import type { PushedId } from '../../protocol/sync-host.ts';
import { defaultLimits } from '../../server/server-limits.ts';
import { bankApp } from '../../testing/fixtures/bank-app.ts';
import { createTestEnv } from '../../testing/in-process-worker.ts';
import { createCurrentLog } from '../current-log.ts';
import { createDecideAcross } from '../decide-across.ts';
import { executeGroup } from '../execute.ts';
import { createStreamCache } from '../stream-cache.ts';
import { toCommitNote } from './commit-note.ts';
import { createSyncHost, type EngineSyncHost } from './sync-host.ts';

async function createHost({
  log = createMemoryEventLog({ logId: 'log-1', client: 'a' }),
  app = bankApp,
}: {
  readonly log?: EventLog;
  readonly app?: App;
} = {}) {
  const env = createTestEnv();
  const turns = { count: 0 };
  const synced = countTurns(await log.openSync(), turns);
  const setBackTo: number[] = [];
  const host = createSyncHost({
    app,
    env,
    log,
    synced,
    syncEnv: { now: env.now, random: () => 0, callLater: () => () => undefined },
    createDecideAcross: app.decisions.size > 0 ? () => createDecideAcross(app) : undefined,
    exclusively: (work, signal) => work(signal),
    onReport: () => undefined,
    onMoved: () => undefined,
    onFailure: () => undefined,
    setBack: async (g) => void setBackTo.push(g),
  });
  const save = (commandId: string) =>
    log.write((transaction) =>
      transaction.append({
        commandId,
        correlationId: commandId,
        recordedAt: 1,
        events: [{ stream: 'account-ada', type: 'Deposited', version: 1, data: { amount: 1 } }],
      }),
    );
  const offered = async (isAcknowledged: (id: PushedId) => boolean) =>
    (await host.readPush({ limits: defaultLimits, principal: '', isAcknowledged })).commits.map(
      ({ commit }) => commit.commandId,
    );
  /** Executes a request as the engine does. */
  const execute = (request: ExecuteRequest) =>
    executeGroup([request], {
      app,
      env,
      log,
      cache: createStreamCache(),
      hooks: { isCancelled: () => false, onProgress: () => undefined },
      saved: undefined,
      decideAcross: app.decisions.size > 0 ? createDecideAcross(app) : undefined,
      toNote: (of, decidedOn, drawn) => toCommitNote(of, { decidedOn, drawn, principal: '', version: app.version }),
    });
  const push = () => host.readPush({ limits: defaultLimits, principal: '', isAcknowledged: () => false });
  /** Gives the host a page that follows from where it is. */
  const pull = async (...commits: readonly SyncCommit[]) => {
    const { base } = await host.readState();
    let { g, oh } = base;
    const placed = commits.map((commit) => {
      g += commit.events.length;
      oh = bytesToHex(orderHash(hexToBytes(oh), hexToBytes(toCanonicalCommit(commit).digest), g));
      return { g, oh, commit };
    });
    return host.applyPage({ base, epoch: 'e', commits: placed });
  };
  return { host, log, save, offered, execute, push, pull, setBackTo, turns };
}

/** The same log; `turns` has how often its transactions let the event loop turn. */
function countTurns(synced: SyncedLog, turns: { count: number }): SyncedLog {
  return {
    write: (work, options) =>
      synced.write((transaction) => {
        const turn = () => {
          turns.count += 1;
          return transaction.turn();
        };
        return work(Object.create(transaction, { turn: { value: turn } }));
      }, options),
  };
}

describe('what is offered to a server', () => {
  it('leaves out what was answered, and offers it again when the answer no longer counts', async () => {
    const { host, save, offered } = await createHost();
    for (const id of ['c1', 'c2', 'c3']) await save(id);
    const { commits } = await host.readPush({ limits: defaultLimits, principal: '', isAcknowledged: () => false });
    const answered = commits.slice(0, 2).map(({ commit, digest }) => ({ commandId: commit.commandId, digest }));
    host.noteAcknowledged(answered);
    const isAcknowledged = ({ commandId }: PushedId) => answered.some((id) => id.commandId === commandId);
    expect(await offered(isAcknowledged)).toEqual(['c3']);
    await save('c4');
    expect(await offered(isAcknowledged)).toEqual(['c3', 'c4']);
    // A server that was restored has lost what it had answered.
    expect(await offered(() => false)).toEqual(['c1', 'c2', 'c3', 'c4']);
  });
});

const move = (commandId: string, name: 'deposit' | 'withdraw', amount: number): ExecuteRequest => ({
  commandId,
  commands: [{ aggregate: 'account', id: 'ada', name, input: { amount } }],
});

/** The first commit of somebody else. */
const ofOthers = (commandId: string, event: StreamEvent): SyncCommit => ({
  ...{ logId: 'log-1', commandId, correlationId: commandId, recordedAt: 1, client: 'ann', clientSeq: 1, prev: noHash },
  events: [event],
});

const deposit = (amount: number): StreamEvent => ({
  ...{ stream: 'account-ada', type: 'Deposited', version: 1 },
  data: { amount },
});

async function orphansOf(host: EngineSyncHost): Promise<readonly PushedId[]> {
  return (await host.readOrphans(defaultLimits)).map(({ commit: { commandId }, digest }) => ({ commandId, digest }));
}

describe('two tabs of one log', () => {
  it('decide again what either has marked', async () => {
    const one = await createHost();
    const two = await createHost({ log: (one.log as MemoryEventLog).open() });
    await one.pull(ofOthers('f1', deposit(10)));
    await one.execute(move('w1', 'withdraw', 10));
    await two.push();
    // The server lost f1 and will not take it again: before that is known, w1 is only marked.
    await one.host.goBack((await one.host.readState()).base, 0);
    await one.host.settleOrphans(await orphansOf(one.host), []);
    expect((await two.push()).commits).toEqual([]);
    expect(await two.host.readRefused()).toMatchObject([{ commandId: 'w1', reason: { code: 'insufficient-funds' } }]);
  });

  it('do not count as pushed what the other has confirmed', async () => {
    const one = await createHost();
    const two = await createHost({ log: (one.log as MemoryEventLog).open() });
    await one.execute(move('d1', 'deposit', 1));
    const { commits } = await one.push();
    one.host.noteAcknowledged(commits.map(({ commit, digest }) => ({ commandId: commit.commandId, digest })));
    await two.pull(...commits.map(({ commit }) => commit));
    await one.execute(move('d2', 'deposit', 1));
    expect((await one.host.readState()).pending).toBe(1);
    expect(one.host.countAcknowledged()).toBe(0);
  });

  it('each try once what waits for a newer build, and then leave it', async () => {
    const stored = createMemoryEventLog({ logId: 'log-1', client: 'a' });
    const open = () => createHost({ log: createCurrentLog(stored.open(), createUpcaster(bankApp)) });
    const [one, two] = [await open(), await open()];
    await one.pull(ofOthers('f1', deposit(10)));
    await one.execute(move('w1', 'withdraw', 10));
    await one.pull({ ...ofOthers('f2', { ...deposit(1), version: 2 }), client: 'bob' });
    const rebases: number[] = [];
    for (const tab of [one, two, one, two, one, two]) {
      expect(await tab.push()).toMatchObject({ commits: [], waitsFor: 'version' });
      rebases.push(tab.log.order.rebases);
    }
    expect(new Set(rebases.slice(1)).size).toBe(1);
  });

  it('set nobody back for a place that the other has left', async () => {
    const { host, execute, push, pull, setBackTo } = await createHost();
    await execute(move('d1', 'deposit', 1));
    await pull(...(await push()).commits.map(({ commit }) => commit));
    await host.goBack({ epoch: 'e', g: 1, oh: 'f'.repeat(64) }, 0);
    expect(setBackTo).toEqual([]);
    await host.goBack((await host.readState()).base, 0);
    expect(new Set(setBackTo)).toEqual(new Set([0]));
  });
});

describe('a long rebase', () => {
  it('lets others have their turn: a worker that is silent for long is taken for dead', async () => {
    const { host, log, save, pull, turns } = await createHost();
    for (let number = 1; number <= 600; number += 1) await save(`c${number}`);
    expect(await pull(ofOthers('f1', deposit(10)))).toMatchObject({ status: 'applied' });
    expect(turns.count).toBe(2);
    expect(await host.readState()).toMatchObject({ base: { g: 1 }, pending: 600 });
    expect(await log.head()).toBe(601);
  });
});

describe('a client that writes under another name', () => {
  it('decides nothing again as long as commits of others are to be recovered', async () => {
    const { host, execute, pull } = await createHost();
    await pull(ofOthers('f1', deposit(10)));
    await execute(move('w1', 'withdraw', 10));
    await host.goBack((await host.readState()).base, 0);
    const { client } = await host.readState();
    await host.renewClient(client);
    expect(await host.readState()).toMatchObject({ orphans: 1, pending: 1, refused: 0 });
    expect((await host.readState()).client).not.toBe(client);
  });
});

describe('a server that is restored again and again', () => {
  it('is sent, each time, what was decided on what it gets back', async () => {
    const { host, execute, push, pull } = await createHost();
    const lost = ofOthers('f1', deposit(10));
    await pull(lost);
    await execute(move('w1', 'withdraw', 10));
    for (const _time of [1, 2, 3]) {
      await host.goBack((await host.readState()).base, 0);
      const back = await orphansOf(host);
      // As long as it is not settled, what was decided on it is only marked.
      await pull(lost);
      await host.settleOrphans(back, []);
      expect((await push()).commits.map(({ commit }) => commit.commandId)).toEqual(['w1']);
    }
  });
});

describe('what others wrote and a restored server will not take again', () => {
  it('is kept as withdrawn, unless it is back', async () => {
    const { host, pull } = await createHost();
    const [lost, back] = [ofOthers('f1', deposit(10)), { ...ofOthers('f2', deposit(1)), client: 'bob' }];
    await pull(lost, back);
    await host.goBack((await host.readState()).base, 0);
    await pull(back);
    const reason = { code: 'NOT_YOURS', text: 'No.' };
    await host.settleOrphans(
      [],
      (await orphansOf(host)).map((id) => ({ ...id, ...reason })),
    );
    expect(await host.readState()).toMatchObject({ orphans: 0, refused: 1 });
    expect(await host.readRefused()).toMatchObject([{ commandId: 'f1', reason, commit: lost }]);
  });
});

describe('what was withdrawn', () => {
  it('is read in the order in which it was', async () => {
    const { host, execute, push } = await createHost();
    for (const id of ['c', 'a', 'b']) {
      await execute(move(id, 'deposit', 1));
      const refusals = (await push()).commits.map(({ digest }) => ({ commandId: id, digest, code: 'NO', text: 'No.' }));
      await host.refuse(refusals);
    }
    expect((await host.readRefused()).map(({ commandId }) => commandId)).toEqual(['c', 'a', 'b']);
  });
});

describe('a command', () => {
  it('is not refused any more when it was sent again and is confirmed', async () => {
    const { host, execute, push, pull } = await createHost();
    await execute(move('d1', 'deposit', 1));
    const [first] = (await push()).commits;
    await host.refuse([{ commandId: 'd1', digest: first?.digest ?? '', code: 'NO', text: 'No.' }]);
    expect((await host.readState()).refused).toBe(1);
    await execute(move('d1', 'deposit', 1));
    await pull(...(await push()).commits.map(({ commit }) => commit));
    expect(await host.readState()).toMatchObject({ refused: 0, pending: 0 });
  });

  it('is guarded, and decided again, by all names that an event ever had', async () => {
    const Seats = defineEvents({ SeatTaken: versions(shape<{ seat: string }>()).formerly('SeatBooked') });
    const taken = view({ from: [Seats], initialState: () => 0, on: { SeatTaken: (count) => count + 1 } });
    const take = defineDecision('take', {
      events: Seats,
      input: shape<{ seat: string }>(),
      reads: () => ({ count: taken('hall:1') }),
      decide: ({ seat }, { count }) => (count >= 1 ? reject('full') : Seats.SeatTaken({ seat }, ['hall:1'])),
    });
    const app = defineApp({ name: 'seats', aggregates: [], decisions: [take], projections: [] });
    const stored = createMemoryEventLog({ logId: 'log-1', client: 'a' });
    const { host, execute, push, pull } = await createHost({ log: createCurrentLog(stored, createUpcaster(app)), app });
    await execute({ commandId: 't1', commands: [], decision: { name: 'take', input: { seat: 'A' } } });
    const [pushed] = (await push()).commits;
    expect(pushed?.guard?.condition?.failIfEventsMatch).toEqual([
      { types: ['SeatTaken', 'SeatBooked'], tags: ['hall:1'] },
    ]);
    // By a build of last year.
    const booked = { stream: 'take-o1', type: 'SeatBooked', version: 1, data: { seat: 'B' }, tags: ['hall:1'] };
    await pull(ofOthers('o1', booked));
    expect(await host.readState()).toMatchObject({ pending: 0, refused: 1 });
  });
});
