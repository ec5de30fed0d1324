import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Command, command } from '../core/index.ts';
import { createEngine } from '../engine/engine.ts';
import { createFold } from '../engine/projecting/fold.ts';
import type { EventLog } from '../log/event-log.ts';
import { appSignature } from '../protocol/engine-api.ts';
import { assertEqual } from '../testing/assert.ts';
import { Counter, Counts, counterApp, Total } from '../testing/fixtures/counter-app.ts';
import { createInProcessWorker, createTestEnv } from '../testing/in-process-worker.ts';
import { type Client, createClient } from './client.ts';

const id = fc.constantFrom('a', 'b', 'c');
const by = fc.integer({ min: 0, max: 15 });

const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(id, by).map(([to, input]) => command(Counter, to, 'count', { by: input })) },
  { weight: 2, arbitrary: fc.tuple(id, by).map(([to, input]) => command(Counter, to, 'countTwice', { by: input })) },
  { weight: 1, arbitrary: id.map((to) => command(Counter, to, 'close', {})) },
);

/** A step of a run: which of three tabs does what. */
const step = fc.record({
  tab: fc.constantFrom(0, 1, 2),
  act: fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        commands: fc.array(anyCommand, { minLength: 1, maxLength: 3 }),
        waits: fc.boolean(),
        twice: fc.boolean(),
      }),
    },
    // Rows and states are saved, as by a page that is hidden.
    { weight: 1, arbitrary: fc.constant('save' as const) },
    // The tab's worker ends, and another takes its place: its mirrors have a gap.
    { weight: 1, arbitrary: fc.constant('restart' as const) },
  ),
});

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

export interface LawOptions {
  /** Makes a storage; the function that it gives opens the same log once more, as another tab does. */
  readonly createStorage: () => Promise<() => Promise<EventLog>>;
  readonly runs: number;
  readonly seed: number;
}

/** What is true after any run of commands by three tabs on one log. A failing run prints its seed and its shrunk steps. */
export function describeLaws({ createStorage, runs, seed }: LawOptions): void {
  const law = (name: string, check: (steps: readonly Step[]) => Promise<void>) =>
    it(
      name,
      () => fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 25 }), check), { numRuns: runs, seed }),
      120_000,
    );

  async function play(steps: readonly Step[], check: (tabs: readonly Client[], log: EventLog) => Promise<void>) {
    const openLog = await createStorage();
    const log = await openLog();
    const saver = createEngine({ app: counterApp, env: createTestEnv(), openLog, durable: false });
    const { port1, port2 } = new MessageChannel();
    await saver.connect({ app: appSignature(counterApp) }, port1);
    const tabs = await Promise.all([0, 1, 2].map(async () => openTab(await openLog())));
    const sent: Promise<unknown>[] = [];
    for (const [index, { tab, act }] of steps.entries()) {
      const client = tabs[tab] as Client;
      if (act === 'save') await saver.wake().then(() => saver.rest());
      else if (act === 'restart') client.startOver();
      else {
        const send = () => sendChecked(client, act.commands, `step-${index}`);
        const receipts = act.twice ? Promise.all([send(), send()]) : send();
        sent.push(receipts);
        if (act.waits) await receipts;
      }
    }
    await Promise.all(sent);
    await check(tabs, log);
    await Promise.all(tabs.map((tab) => tab.close()));
    saver.close();
    port2.close();
    log.close();
  }

  describe('the laws', () => {
    law('replay: the rows of all events are the rows that patches made, in every tab', (steps) =>
      play(steps, async (tabs, log) => {
        const events = await readAll(log);
        for (const tab of tabs) await assertRows(tab, events);
      }),
    );

    law('saved rows and states with what came after are what a replay of everything gives', (steps) =>
      play(steps, async (tabs, log) => {
        const fresh = openTab(log);
        await assertRows(fresh, await readAll(log));
        // What the states say: a tab that starts from saved ones answers as one that has folded everything.
        await tabs[0]?.rebuild();
        for (const to of ['a', 'b', 'c']) {
          const [first, second] = await Promise.all([
            fresh.execute(Counter, to, 'count', { by: 0 }),
            tabs[0]?.execute(Counter, to, 'count', { by: 0 }),
          ]);
          assertEqual({ ...first, commandId: '' }, { ...second, commandId: '' }, to);
        }
        await fresh.close();
      }),
    );

    law('positions are 1 to n and revisions of a stream 0 to n, without gaps', (steps) =>
      play(steps, async (_tabs, log) => {
        const events = await readAll(log);
        const revisions = new Map<string, number>();
        for (const [index, { position, stream, revision }] of events.entries()) {
          assertEqual(position, index + 1);
          assertEqual(revision, (revisions.get(stream) ?? -1) + 1, stream);
          revisions.set(stream, revision);
        }
      }),
    );

    law('mirrors are what the worker has, after any gap', (steps) =>
      play([...steps, { tab: 0, act: 'restart' }, { tab: 1, act: 'restart' }], async (tabs, log) => {
        await tabs[2]?.execute(Counter, 'd', 'count', { by: 1 });
        const events = await readAll(log);
        for (const tab of tabs) await assertRows(tab, events);
      }),
    );

    law('a command that was sent twice is stored once', (steps) =>
      play(steps, async (_tabs, log) => {
        const events = await readAll(log);
        assertEqual(new Set(events.map((event) => event.id)).size, events.length);
        const commits = new Map<string, number>();
        for (const { meta } of events) commits.set(meta.commandId, (commits.get(meta.commandId) ?? 0) + 1);
        for (const [commandId, count] of commits) {
          const { act } = steps[Number(commandId.slice('step-'.length))] as Step;
          const most = typeof act === 'string' ? 0 : act.commands.length * 2;
          assertEqual(count <= most, true, commandId);
        }
      }),
    );

    it('every message and error survives structuredClone unchanged', async () => {
      const { postMessage } = MessagePort.prototype;
      let seen = 0;
      MessagePort.prototype.postMessage = function post(this: MessagePort, message: unknown, ...rest: unknown[]) {
        // Ports are handed over, not copied.
        if (rest.length === 0 || (Array.isArray(rest[0]) && rest[0].length === 0)) {
          seen += 1;
          expect(structuredClone(message)).toStrictEqual(message);
        }
        return Reflect.apply(postMessage, this, [message, ...rest]);
      } as typeof postMessage;
      try {
        await fc.assert(
          fc.asyncProperty(fc.array(step, { maxLength: 25 }), (steps) => play(steps, async () => undefined)),
          { numRuns: Math.min(runs, 10), seed },
        );
      } finally {
        MessagePort.prototype.postMessage = postMessage;
      }
      expect(seen).toBeGreaterThan(100);
    }, 60_000);
  });
}

/** Rules are run twice and compared in there: decide and project give the same answer. */
function openTab(log: EventLog): Client {
  const client = createClient(counterApp, () => createInProcessWorker({ app: counterApp, log }), {
    askToPersist: false,
  });
  client.mirror(Counts);
  client.mirror(Total);
  return client;
}

/** Read your writes: once it resolves, the rows are there. */
async function sendChecked(client: Client, commands: readonly Command[], commandId: string): Promise<unknown> {
  const receipt = await client.execute(commands, { commandId });
  const mirror = client.mirror(Counts);
  if (receipt.status === 'failed') throw new Error(receipt.failure.text);
  // Of a tab that has just been restarted, the rows are still those of before.
  if (receipt.status === 'saved' && mirror.position > 0) assertEqual(mirror.position >= receipt.position, true);
  return receipt;
}

async function assertRows(tab: Client, events: readonly Parameters<typeof Counts.project>[0][]): Promise<void> {
  for (const projection of [Counts, Total]) {
    const mirror = tab.mirror(projection);
    await mirror.ready;
    await mirror.whenReached(events.length);
    const replay = createFold(projection);
    replay.apply({ events, unreadable: [], to: events.length }, false);
    assertEqual([...mirror.rows], [...replay.rows], projection.name);
  }
}

async function readAll(log: EventLog) {
  const events = [];
  for await (const page of log.read({})) events.push(...page);
  return events;
}
