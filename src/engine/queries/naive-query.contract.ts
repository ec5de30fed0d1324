import fc from 'fast-check';
import { describe, it } from 'vitest';
import { createWindowFeed } from '../../client/live-query.ts';
import { defineApp } from '../../core/app.ts';
import { defineEvents } from '../../core/events.ts';
import { defineProjection, type RowChange } from '../../core/projection.ts';
import type { AnyRowQuery, KeyedRow } from '../../core/row-query.ts';
import { shape } from '../../core/schema.ts';
import type { EngineMessage } from '../../protocol/engine-api.ts';
import { assertEqual } from '../../testing/assert.ts';
import { createRandom } from '../../testing/random.ts';
import { createQueries } from './queries.ts';

/** Of the runs: so many sequences of so many steps, and the seed that they are drawn with. */
export interface QueryRuns {
  readonly runs: number;
  readonly steps: number;
  readonly seed: number;
}

interface Row {
  readonly owner?: string | null;
  readonly size?: number | null;
  readonly isOpen: boolean;
  readonly turn: number;
}

const Things = defineProjection('things', {
  version: 1,
  from: [defineEvents({ Happened: shape<Record<string, never>>() })],
  row: shape<Row>(),
  indexes: ['owner', 'size', ['owner', 'size'], ['isOpen', 'size']],
  on: {},
});
const app = defineApp({ name: 'things', aggregates: [], projections: [Things] });

const keys = Array.from({ length: 40 }, (_, index) => `k${index}`);
const owner = fc.constantFrom('Ada', 'Alan', 'Bob', 'ž', '', null, undefined);
const size = fc.option(fc.integer({ min: -4, max: 4 }), { freq: 6 });

const change = fc.record({
  key: fc.constantFrom(...keys),
  row: fc.option(fc.record({ owner, size, isOpen: fc.boolean() }), { freq: 4 }),
});

const bound = fc.integer({ min: -5, max: 5 });
const sizeCondition = fc.oneof(
  size,
  fc.record({ atLeast: bound, atMost: bound, above: bound, below: bound }, { requiredKeys: [] }),
  fc.record({ in: fc.array(size, { maxLength: 3 }), above: bound }, { requiredKeys: ['in'] }),
);
const ownerCondition = fc.oneof(
  owner,
  fc.record({ startsWith: fc.constantFrom('A', 'Ad', '') }),
  fc.record({ atLeast: fc.constantFrom('Alan', 'B'), below: fc.constantFrom('Bob', 'ž') }, { requiredKeys: [] }),
);
const where = fc.oneof(
  fc.record(
    {
      owner: ownerCondition,
      size: sizeCondition,
      isOpen: fc.boolean(),
      $key: fc.record({ above: fc.constantFrom('k1', 'k2', 'k3') }),
    },
    { requiredKeys: [] },
  ),
  // Few conditions: windows that share an index, and ask for more of it and for less.
  fc.record({ size: sizeCondition, isOpen: fc.boolean() }, { requiredKeys: [] }),
);
const orders = [[], ['owner'], ['size'], ['owner', 'size'], ['isOpen', 'size']];
const query = fc.record({
  where,
  order: fc.constantFrom(...orders),
  direction: fc.constantFrom('asc' as const, 'desc' as const),
  limit: fc.integer({ min: 1, max: 12 }),
  total: fc.boolean(),
  /** Whether it goes on where the window that was opened before it ends. */
  follows: fc.boolean(),
  /** Or whether it asks as that one does, but for rows of any size: the two may share an index. */
  widens: fc.boolean(),
});

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('change' as const),
      changes: fc.array(change, { maxLength: 8 }),
      /** How many of the rows that the newest window shows are deleted as well. */
      shown: fc.oneof(fc.constant(0), fc.nat({ max: 12 })),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('open' as const), query }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('close' as const), at: fc.nat({ max: 5 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('renew' as const), changes: fc.array(change, { maxLength: 30 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(0, 1, 12) }),
  },
);

type Drawn<Drawer> = Drawer extends fc.Arbitrary<infer Value> ? Value : never;
type Step = Drawn<typeof step>;

/** A window that is open, as the page has it. */
interface OpenPage {
  readonly page: ReturnType<typeof createWindowFeed>;
  readonly query: AnyRowQuery;
}

/** Whatever becomes of the rows: a window on the page shows what filtering, sorting and cutting all of them would. */
export function describeQueries({ runs, steps, seed }: QueryRuns): void {
  describe('a query and a naive model of it', () => {
    // The second has more rows than are indexed at once: windows are opened and followed while an index is built.
    for (const many of [0, 3_000]) {
      it(`agree after each of up to ${steps} random steps with ${many} rows more, ${runs} times (seed ${seed})`, async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: steps, size: 'max' }), (drawn) =>
            runSteps(drawn, many),
          ),
          { numRuns: runs, seed },
        );
      }, 600_000);
    }
  });
}

async function runSteps(steps: readonly Step[], many: number): Promise<void> {
  let rows = new Map<string, unknown>(manyRows(many));
  let position = 1;
  let turn = 0;
  const pages = new Map<string, OpenPage>();
  const post = (message: EngineMessage) => {
    const arrived = structuredClone(message);
    if (arrived.type === 'snapshot') pages.get(arrived.projection)?.page.feed.applySnapshot(arrived);
    if (arrived.type !== 'patch') return;
    for (const { page } of pages.values()) page.feed.applyPatch(arrived);
  };
  const queries = createQueries(app, post, 0);
  const toRow = (drawn: Drawn<typeof change>['row']) => {
    turn += 1;
    return drawn === null ? null : Object.freeze({ ...drawn, turn });
  };
  const take = (changes: readonly RowChange[]) => {
    for (const { key, row } of changes) {
      if (row === null) rows.delete(key);
      else rows.set(key, row);
    }
  };

  for (const [index, each] of steps.entries()) {
    switch (each.kind) {
      case 'change': {
        const { rows: shown = [] } = [...pages.values()].at(-1)?.page.answer() ?? {};
        const deleted = shown.slice(0, each.shown).map(({ key }) => ({ key, row: null }));
        const changes = lastOfEach([...each.changes, ...deleted]).map(({ key, row }) => ({ key, row: toRow(row) }));
        take(changes);
        position += 1;
        queries.applied('things', changes, { to: position });
        break;
      }
      case 'renew':
        rows = new Map(manyRows(many));
        take(each.changes.map(({ key, row }) => ({ key, row: toRow(row) })));
        position += 1;
        queries.renewed('things', { rows, position, isBehind: false });
        break;
      case 'open': {
        const id = `?${index}`;
        const asked = toQuery(each.query, [...pages.values()].at(-1));
        const page = createWindowFeed(id, () => {
          throw new Error('a gap');
        });
        pages.set(id, { page, query: asked });
        queries.open(id, 'things', asked, { rows, position, isBehind: false });
        break;
      }
      case 'close': {
        const id = [...pages.keys()][each.at];
        if (id === undefined) break;
        pages.delete(id);
        queries.close(id);
        break;
      }
      case 'wait':
        await new Promise((resolve) => setTimeout(resolve, each.ms));
    }
    for (const { page, query: asked } of pages.values()) {
      const { rows: shown, next, total } = page.answer();
      const about = `step ${index} (${each.kind}) ${JSON.stringify(asked)}`;
      assertEqual({ rows: shown, next, total }, answerNaively(rows, asked), about);
      assertEqual(page.feed.mirror.position, position, about);
    }
  }
  for (const id of pages.keys()) queries.close(id);
  assertEqual(queries.includes('things'), false, 'at the end');
}

function manyRows(count: number): [string, Row][] {
  const random = createRandom(count);
  return Array.from({ length: count }, (_, index) => {
    const row = {
      owner: random() < 0.5 ? 'Ada' : 'Zoe',
      size: Math.floor(random() * 2_000) - 3,
      isOpen: random() < 0.5,
    };
    return [`m${index}`, Object.freeze({ ...row, turn: 0 })];
  });
}

/** As the projector tells it: the last change of each key. */
function lastOfEach(changes: readonly Drawn<typeof change>[]) {
  return [...new Map(changes.map((each) => [each.key, each])).values()];
}

function toQuery(
  { order, direction, follows, widens, ...rest }: Drawn<typeof query>,
  last: OpenPage | undefined,
): AnyRowQuery {
  const next = last?.page.answer().next;
  if (follows && last !== undefined && next !== undefined) return { ...last.query, after: next };
  if (widens && last !== undefined) return { ...last.query, where: { ...last.query.where, size: undefined } };
  return { ...rest, orderBy: [...(order.length === 0 ? ['$key'] : order), direction] };
}

/** Filter, sort, cut: nothing of the engine's own. */
function answerNaively(rows: ReadonlyMap<string, unknown>, asked: AnyRowQuery) {
  const list = [asked.orderBy ?? []].flat();
  const direction = list.at(-1) === 'desc' ? -1 : 1;
  const fields = list.slice(0, -1).filter((field) => field !== '$key');
  const rankOf = (value: unknown) => ['undefined', 'boolean', 'number', 'string'].indexOf(typeof (value ?? undefined));
  const compare = (left: unknown, right: unknown): number =>
    rankOf(left) - rankOf(right) || ((left ?? 0) < (right ?? 0) ? -1 : (left ?? 0) > (right ?? 0) ? 1 : 0);
  const get = ({ key, row }: KeyedRow, field: string) => (field === '$key' ? key : Reflect.get(row as object, field));
  const order = (left: KeyedRow, right: KeyedRow) => {
    for (const field of [...fields, '$key']) {
      const difference = compare(get(left, field), get(right, field));
      if (difference !== 0) return difference * direction;
    }
    return 0;
  };
  const isSame = (left: unknown, right: unknown) => (left ?? null) === (right ?? null);
  const holds = (value: unknown, condition: unknown): boolean => {
    if (condition === undefined) return true;
    if (typeof condition !== 'object' || condition === null) return isSame(value, condition);
    return Object.entries(condition).every(([name, wanted]) => {
      if (name === 'in') return wanted.some((sought: unknown) => isSame(value, sought));
      if (name === 'startsWith') return typeof value === 'string' && value.startsWith(wanted);
      if (typeof value !== typeof wanted) return false;
      const difference = compare(value, wanted);
      return { below: difference < 0, above: difference > 0, atLeast: difference >= 0, atMost: difference <= 0 }[name];
    });
  };
  const matching = [...rows]
    .map(([key, row]) => ({ key, row }))
    .filter((each) =>
      Object.entries(asked.where ?? {}).every(([field, condition]) => holds(get(each, field), condition)),
    )
    .sort(order);
  const { after, limit = 50 } = asked;
  const start = after && {
    key: after.key,
    row: Object.fromEntries(fields.map((field, at) => [field, after.values[at]])),
  };
  const behind = matching.filter((each) => start === undefined || order(each, start) > 0);
  const shown = behind.slice(0, limit);
  const last = shown.at(-1);
  return {
    rows: shown,
    next:
      last !== undefined && behind.length > limit
        ? {
            order: [...fields, direction === 1 ? 'asc' : 'desc'],
            values: fields.map((field) => get(last, field) ?? null),
            key: last.key,
          }
        : undefined,
    total: asked.total ? matching.length : undefined,
  };
}
