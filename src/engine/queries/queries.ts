import type { App } from '../../core/app.ts';
import type { RowChange } from '../../core/projection.ts';
import type { AnyRowQuery } from '../../core/row-query.ts';
import type { EngineMessage, Patch, WindowChange, WindowEnd } from '../../protocol/engine-api.ts';
import type { ShownRows } from '../projecting/plan-start.ts';
import { createQueriedRows, type QueriedRows } from './queried-rows.ts';
import { planQuery, type QueryPlan } from './query-plan.ts';
import type { QueryWindow } from './query-window.ts';

/** The open queries of a page: tells it each one's first window, and then what changes in it. Loaded when it is needed. */
export interface Queries {
  /** Throws where the projection cannot answer the query. The rows must not change between their reading and this call. */
  open(id: string, projection: string, query: AnyRowQuery, from: ShownRows): void;
  close(id: string): void;
  /** Whether row changes of this projection have to be told. */
  includes(projection: string): boolean;
  /** The rows have taken these changes, and are at this position now. */
  applied(projection: string, changes: readonly RowChange[], patch: Pick<Patch, 'to' | 'isRebase'>): void;
  /** The rows are all new: every window of the projection is computed anew. */
  renewed(projection: string, from: ShownRows): void;
  /** Closes all of them. */
  closeAll(): void;
}

/** A projection that queries are open on. */
interface Queried {
  readonly rows: QueriedRows;
  readonly windows: Map<string, OpenWindow>;
  /** Of old rows, that do not move until new ones take their place. */
  readonly isBehind: boolean;
  position: number;
}

interface OpenWindow {
  readonly plan: QueryPlan;
  readonly window: QueryWindow;
  readonly close: () => void;
}

/** `turnMs`: how long an index is built before what waits in the worker gets its turn. */
export function createQueries(app: App, post: (message: EngineMessage) => void, turnMs = 8): Queries {
  const queried = new Map<string, Queried>();

  function openWindow(own: Queried, id: string, plan: QueryPlan): void {
    const { window, close } = own.rows.openWindow(plan);
    own.windows.set(id, { plan, window, close });
    const rows = window.rows.map(({ key, row }) => [key, row] as const);
    const { position, isBehind } = own;
    const whole = { isFirst: true, isLast: true };
    post({ type: 'snapshot', projection: id, position, isBehind, rows, end: window.end, ...whole });
  }

  function close(id: string): void {
    for (const [projection, { rows, windows }] of queried) {
      windows.get(id)?.close();
      if (!windows.delete(id) || windows.size > 0) continue;
      rows.close();
      queried.delete(projection);
    }
  }

  return {
    open: (id, projection, query, { rows, position, isBehind }) => {
      const definition = app.projections.get(projection);
      if (definition === undefined) {
        throw new Error(`The app "${app.name}" has no projection "${projection}". Add it to defineApp.`);
      }
      const plan = planQuery(definition, query);
      const before = queried.get(projection)?.windows.get(id);
      const own: Queried = queried.get(projection) ?? {
        rows: createQueriedRows(rows, turnMs),
        windows: new Map(),
        isBehind,
        position,
      };
      queried.set(projection, own);
      openWindow(own, id, plan);
      before?.close();
    },
    close,
    includes: (projection) => queried.has(projection),
    applied: (projection, changes, { to, isRebase }) => {
      const own = queried.get(projection);
      if (own === undefined) return;
      own.rows.apply(changes);
      const changesById: Record<string, readonly WindowChange[]> = {};
      const ends: Record<string, WindowEnd> = {};
      for (const [id, { window }] of own.windows) {
        const update = window.update(changes);
        // Named also where nothing changed: its mirror follows the position.
        changesById[id] = update?.changes ?? [];
        if (update?.end !== undefined) ends[id] = update.end;
      }
      const rebased = isRebase === undefined ? {} : { isRebase };
      post({ type: 'patch', from: own.position, to, changes: changesById, ends, ...rebased });
      own.position = to;
    },
    renewed: (projection, { rows, position, isBehind }) => {
      const old = queried.get(projection);
      if (old === undefined) return;
      old.rows.close();
      const own: Queried = { rows: createQueriedRows(rows, turnMs), windows: new Map(), isBehind, position };
      queried.set(projection, own);
      for (const [id, { plan }] of old.windows) openWindow(own, id, plan);
    },
    closeAll: () => {
      for (const { rows } of queried.values()) rows.close();
      queried.clear();
    },
  };
}
