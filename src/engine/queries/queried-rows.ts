import type { RowChange } from '../../core/projection.ts';
import type { KeyedRow } from '../../core/row-query.ts';
import type { IndexPlan, QueryPlan } from './query-plan.ts';
import { createQueryWindow, type QueryWindow } from './query-window.ts';
import { createRowIndex, type RowIndex } from './row-index.ts';
import { sortInSteps } from './scan-rows.ts';

/** The rows of a projection that queries are open on, and their indexes: each is there as long as a window needs it. */
export interface QueriedRows {
  openWindow(plan: QueryPlan): { readonly window: QueryWindow; readonly close: () => void };
  /** Takes changes that the rows have already taken. */
  apply(changes: readonly RowChange[]): void;
  /** Ends what is being built. */
  close(): void;
}

/** An index, and how far it is. */
interface Building {
  readonly plan: IndexPlan;
  users: number;
  /** There as soon as it has all rows. */
  index?: RowIndex;
  /** Changes since its rows were taken together: it gets them when it is built. */
  missed?: Change[];
}

interface Change {
  readonly before: KeyedRow | undefined;
  readonly after: KeyedRow | undefined;
}

/** Up to so many rows are sorted at once, in a millisecond or two: nothing has to be found without an index. */
const atOnce = 2_000;

const rowsPerStep = 4_096;

/** `turnMs`: how long building goes on before what waits gets its turn. */
export function createQueriedRows(rows: ReadonlyMap<string, unknown>, turnMs: number): QueriedRows {
  /** What the indexes hold of each key, so that it can be found in them when its row is another one. */
  const listed = new Map<string, KeyedRow>();
  const indexes = new Map<string, Building>();
  const work: { readonly steps: Generator<void>; readonly isWanted: () => boolean }[] = [];
  let isListed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** The map may change meanwhile: what is set in it is met as it is then, and `apply` has listed it already. */
  function* list(): Generator<void> {
    let count = 0;
    for (const [key, row] of rows) {
      if (!listed.has(key)) listed.set(key, { key, row });
      count += 1;
      if (count % rowsPerStep === 0) yield;
    }
    isListed = true;
  }

  function* build(building: Building, plan: QueryPlan): Generator<void> {
    const { order, matches } = building.plan;
    const part = narrowest(plan);
    const all = part === undefined ? [...listed.values()] : part.index.slice(part.from, part.to);
    const missed: Change[] = [];
    building.missed = missed;
    const chosen: KeyedRow[] = [];
    for (let start = 0; start < all.length; start += rowsPerStep) {
      for (const row of all.slice(start, start + rowsPerStep)) {
        if (matches === undefined || matches(row)) chosen.push(row);
      }
      yield;
    }
    const index = createRowIndex(order, yield* sortInSteps(chosen, order));
    for (const change of missed) applyTo(index, matches, change);
    building.index = index;
  }

  /** The part of an index that is there which holds all rows of a query. */
  function narrowest({ narrower }: QueryPlan) {
    for (const { index: id, range } of narrower) {
      const index = indexes.get(id)?.index;
      if (index === undefined) continue;
      return { index, from: index.rankOf((row) => range(row) >= 0), to: index.rankOf((row) => range(row) > 0) };
    }
    return undefined;
  }

  function applyTo(index: RowIndex, matches: IndexPlan['matches'], { before, after }: Change): void {
    if (before !== undefined && (matches === undefined || matches(before))) index.delete(before);
    if (after !== undefined && (matches === undefined || matches(after))) index.insert(after);
  }

  function workLater(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      const end = performance.now() + turnMs;
      do {
        const [first] = work;
        if (first === undefined || !first.isWanted() || first.steps.next().done) work.shift();
      } while (work.length > 0 && performance.now() < end);
      if (work.length > 0) workLater();
    });
  }

  function start(building: Building, plan: QueryPlan): void {
    const part = narrowest(plan);
    const count = part === undefined ? rows.size : part.to - part.from;
    if (count <= atOnce && (isListed || work.length === 0)) {
      if (!isListed) runToEnd(list());
      runToEnd(build(building, plan));
      return;
    }
    if (!isListed && work.length === 0) work.push({ steps: list(), isWanted: () => true });
    work.push({ steps: build(building, plan), isWanted: () => building.users > 0 });
    workLater();
  }

  return {
    openWindow: (plan) => {
      const { id } = plan.index;
      let building = indexes.get(id);
      if (building === undefined) {
        building = { plan: plan.index, users: 1 };
        indexes.set(id, building);
        start(building, plan);
      } else {
        building.users += 1;
      }
      const own = building;
      return {
        window: createQueryWindow(plan, rows, () => own.index),
        close: () => {
          own.users -= 1;
          if (own.users === 0) indexes.delete(id);
        },
      };
    },
    apply: (changes) => {
      for (const { key, row } of changes) {
        const before = listed.get(key);
        const after = row === null ? undefined : { key, row };
        if (after === undefined) listed.delete(key);
        else listed.set(key, after);
        for (const { index, missed, plan } of indexes.values()) {
          if (index !== undefined) applyTo(index, plan.matches, { before, after });
          else missed?.push({ before, after });
        }
      }
    },
    close: () => {
      clearTimeout(timer);
      work.length = 0;
    },
  };
}

function runToEnd(steps: Generator<void>): void {
  while (!steps.next().done);
}
