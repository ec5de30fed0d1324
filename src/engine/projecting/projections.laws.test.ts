import { expect, it } from 'vitest';
import * as z from 'zod';
import { FailureError } from '../../core/errors.ts';
import { defineApp, defineEvents, defineProjection, type RecordedEvent } from '../../core/index.ts';
import { createUpcaster } from '../../core/upcast.ts';
import type { EventLog } from '../../log/event-log.ts';
import { createMemoryEventLog } from '../../log/memory-event-log.ts';
import { createRandom } from '../../testing/random.ts';
import { type Projections, startProjections } from './projections.ts';

const runs = 500;
const steps = 40;

const Events = defineEvents({ Counted: z.object({ by: z.number() }) });

/** `stable` is the same in every build of the app; `changing` weighs each event by the build. */
function toApp(build: number) {
  const counting = (name: string, version: number) =>
    defineProjection(name, {
      version,
      from: [Events],
      row: z.object({ sum: z.number() }),
      on: { Counted: (row, { data }) => ({ sum: (row?.sum ?? 0) + data.by * version }) },
    });
  const projections = [counting('stable', 1), counting('changing', build)];
  return defineApp({ name: 'laws', aggregates: [], projections });
}

function replay(events: readonly RecordedEvent[], to: number, weight: number): Record<string, unknown> {
  const rows: Record<string, { sum: number }> = {};
  for (const { stream, data } of events.slice(0, to)) {
    const key = stream.slice(2);
    rows[key] = { sum: (rows[key]?.sum ?? 0) + (data as { by: number }).by * weight };
  }
  return rows;
}

/** A page's copy of rows: moved by patches, replaced by snapshots. */
interface Copy {
  rows: Map<string, unknown>;
  position: number;
  isBehind: boolean;
}

/** One worker's life on the log: slow, in small pages, failing when it is told to, silent once it is dead. */
function createLife(log: EventLog, random: () => number, world: { readonly fails: boolean }) {
  let isDead = false;
  async function live<Result>(call: () => Promise<Result>): Promise<Result> {
    for (let turns = Math.floor(random() * 4); turns > 0; turns -= 1) await turn();
    if (isDead) return new Promise<never>(() => undefined);
    if (world.fails && random() < 0.3) throw new FailureError({ type: 'storage.failed', text: 'It failed.' });
    return call();
  }
  const own: EventLog = {
    ...log,
    head: () => live(() => log.head()),
    read: async function* (query) {
      for await (const page of log.read(query)) {
        for (let start = 0; start < page.length; ) {
          const end = start + 1 + Math.floor(random() * 8);
          yield await live(async () => page.slice(start, end));
          start = end;
        }
      }
    },
    snapshots: {
      ...log.snapshots,
      // Copied at once, stored later: as a database does.
      saveProjections: (snapshots) => {
        const copy = structuredClone(snapshots);
        return live(() => log.snapshots.saveProjections(copy));
      },
      loadProjections: () => live(() => log.snapshots.loadProjections()),
    },
  };
  return {
    log: own,
    die: () => {
      isDead = true;
    },
  };
}

async function run(seed: number): Promise<void> {
  const random = createRandom(seed);
  const pick = (most: number) => Math.floor(random() * most);
  const world = { fails: false };
  const log = createMemoryEventLog();
  const stored: RecordedEvent[] = [];
  const builds = new Set<number>();
  let now = 0;
  let commands = 0;
  let build = 1;
  let life = createLife(log, random, world);
  let projections: Projections | undefined;
  let copies = new Map<string, Copy>();

  function check(name: string, { rows, position, isBehind }: Copy): void {
    const shown = Object.fromEntries(rows);
    const fits = (weight: number) =>
      JSON.stringify(sorted(shown)) === JSON.stringify(sorted(replay(stored, position, weight)));
    const weights = name === 'stable' ? [1] : isBehind ? [...builds] : [build];
    if (!weights.some(fits)) {
      throw new Error(
        `Run ${seed}: "${name}" at ${position}${isBehind ? ', behind,' : ''} shows ${JSON.stringify(shown)}, which is not ${JSON.stringify(replay(stored, position, weights[0] ?? 0))}.`,
      );
    }
  }

  function copyNow(name: string): void {
    const found = projections?.rowsOf(name);
    if (found === undefined) return;
    const copy = { ...found, rows: new Map(found.rows) };
    copies.set(name, copy);
    check(name, copy);
  }

  async function startLife(): Promise<void> {
    builds.add(build);
    projections = undefined;
    copies = new Map();
    const own = createLife(log, random, world);
    life = own;
    const app = toApp(build);
    const isCurrent = () => life === own;
    for (;;) {
      try {
        const started = await startProjections({
          app,
          log: own.log,
          upcaster: createUpcaster(app),
          now: () => now,
          isWanted: () => true,
          onPatch: ({ from, to, changes }) => {
            if (!isCurrent()) return;
            for (const [name, own] of Object.entries(changes)) {
              const copy = copies.get(name);
              if (copy === undefined) continue;
              expect([name, from]).toEqual([name, copy.position]);
              for (const { key, row } of own) {
                if (row === null) copy.rows.delete(key);
                else copy.rows.set(key, row);
              }
              copy.position = to;
              check(name, copy);
            }
          },
          onEvents: () => undefined,
          onNewRows: (names) => {
            if (isCurrent()) for (const name of names) if (copies.has(name)) copyNow(name);
          },
          onChange: () => undefined,
          onFailure: () => undefined,
        });
        if (!isCurrent()) return;
        projections = started;
        for (const name of ['stable', 'changing']) void started.ready(name).then(() => isCurrent() && copyNow(name));
        return;
      } catch (error) {
        if (!(error instanceof FailureError)) throw error;
      }
    }
  }

  async function append(): Promise<readonly RecordedEvent[]> {
    commands += 1;
    const commandId = `c${commands}`;
    const events = Array.from({ length: 1 + pick(4) }, () => ({
      stream: `x-${pick(3)}`,
      type: 'Counted',
      version: 1,
      data: { by: 1 + pick(9) },
    }));
    const recorded = await log.write((transaction) =>
      transaction.append({ commandId, correlationId: commandId, recordedAt: 0, events }),
    );
    stored.push(...recorded);
    return recorded;
  }

  const actions: readonly (() => unknown)[] = [
    async () => void projections?.advance(await append()),
    async () => void projections?.advance(await append()),
    append,
    append,
    () => void projections?.follow(),
    () => void projections?.saveNow(),
    () =>
      void projections
        ?.rebuild([['stable'], ['changing'], ['stable', 'changing']][pick(3)] ?? [])
        .catch(() => undefined),
    () => {
      now += 3_000;
    },
    () => {
      now += 3_000;
    },
    () => {
      world.fails = !world.fails && random() < 0.5;
    },
    async () => {
      if (random() < 0.6) return;
      life.die();
      projections?.close();
      if (random() < 0.6) build = 1 + pick(3);
      await startLife();
    },
  ];

  for (let turns = pick(10); turns > 0; turns -= 1) await append();
  await startLife();
  for (let step = 0; step < steps; step += 1) {
    await actions[pick(actions.length)]?.();
    for (let turns = pick(6); turns > 0; turns -= 1) await turn();
  }
  world.fails = false;
  const isLevel = (name: string) => {
    const copy = copies.get(name);
    return copy !== undefined && !copy.isBehind && copy.position === stored.length;
  };
  for (let turns = 0; !isLevel('stable') || !isLevel('changing'); turns += 1) {
    if (turns > 2_000) {
      throw new Error(
        `Run ${seed}: it does not come to rest: ${JSON.stringify([...copies].map(([name, { position, isBehind }]) => [name, position, isBehind]))} of ${stored.length}`,
      );
    }
    if (turns % 50 === 0) void projections?.follow();
    await turn();
  }
  life.die();
  projections?.close();
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function sorted(rows: object): unknown {
  return Object.entries(rows).sort(([left], [right]) => (left < right ? -1 : 1));
}

it('rows are those of a full replay, whatever is saved, built, ended and begun anew in between', async () => {
  for (let seed = 1; seed <= runs; seed += 1) await run(seed);
}, 60_000);
