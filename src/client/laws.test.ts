import fc from 'fast-check';
import { describe, it } from 'vitest';
import { type Command, command } from '../core/index.ts';
import { createProjector } from '../engine/projector.ts';
import type { EventLog } from '../log/event-log.ts';
import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { assertEqual } from '../testing/assert.ts';
import { Counter, Counts, counterApp, Total } from '../testing/fixtures/counter-app.ts';
import { createInProcessWorker } from '../testing/in-process-worker.ts';
import { createClient } from './client.ts';

const id = fc.constantFrom('a', 'b', 'c');
const by = fc.integer({ min: 0, max: 15 });

const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(id, by).map(([to, input]) => command(Counter, to, 'count', { by: input })) },
  { weight: 2, arbitrary: fc.tuple(id, by).map(([to, input]) => command(Counter, to, 'countTwice', { by: input })) },
  { weight: 1, arbitrary: id.map((to) => command(Counter, to, 'close', {})) },
);

/** A step of a run: which of two tabs sends, what, whether it waits for the answer, and whether it sends it twice. */
const step = fc.record({
  tab: fc.constantFrom(0, 1),
  commands: fc.array(anyCommand, { minLength: 1, maxLength: 3 }),
  waits: fc.boolean(),
  twice: fc.boolean(),
});

// A failing run prints its seed and its shrunk steps; fc.assert takes both back.
describe('the laws', () => {
  it(
    'hold for any commands of two tabs on one log',
    () =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
          const memory = createMemoryEventLog({ logId: crypto.randomUUID() });
          // As slow as a disk: commands must wait for each other, or none would ever share a transaction.
          const log: EventLog = {
            ...memory,
            write: async (work) => {
              await new Promise((resolve) => setTimeout(resolve, 1));
              return memory.write(work);
            },
          };
          const open = () => createClient(counterApp, () => createInProcessWorker({ app: counterApp, log }));
          const tabs = [open(), open()] as const;
          await Promise.all(tabs.flatMap((tab) => [tab.mirror(Counts).ready, tab.mirror(Total).ready]));
          const sent: Promise<unknown>[] = [];
          for (const [index, { tab, commands, waits, twice }] of steps.entries()) {
            const client = tabs[tab === 0 ? 0 : 1];
            const send = async () => {
              const receipt = await client.execute(commands, { commandId: `step-${index}` });
              // Read your writes.
              if (receipt.status === 'saved') assertEqual(client.mirror(Counts).position >= receipt.position, true);
              return receipt;
            };
            const receipts = twice ? Promise.all([send(), send()]) : send().then((receipt) => [receipt]);
            sent.push(receipts);
            if (waits) await receipts;
          }
          await Promise.all(sent);

          const events = [];
          for await (const event of tabs[0].read()) events.push(event);
          // Positions and revisions are dense, and a command id is one commit.
          assertEqual(
            events.map(({ position }) => position),
            events.map((_, index) => index + 1),
          );
          const revisions = new Map<string, number>();
          for (const { stream, revision } of events) {
            assertEqual(revision, (revisions.get(stream) ?? -1) + 1, stream);
            revisions.set(stream, revision);
          }
          assertEqual(new Set(events.map((event) => event.id)).size, events.length);
          // The rows of a replay of everything are the rows that patches made, in both tabs.
          const replay = createProjector(counterApp);
          replay.apply(events);
          for (const tab of tabs) {
            for (const projection of [Counts, Total]) {
              const mirror = tab.mirror(projection);
              await mirror.whenReached(events.length);
              assertEqual([...mirror.rows], [...(replay.rowsOf(projection.name) ?? [])], projection.name);
            }
          }
          await Promise.all(tabs.map((tab) => tab.close()));
        }),
        { numRuns: 60 },
      ),
    60_000,
  );
});
