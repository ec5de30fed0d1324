import type { App } from '../../core/app.ts';
import type { EngineApi, EngineMessage } from '../../protocol/engine-api.ts';
import type { ShownRows } from '../projecting/plan-start.ts';
import type { Queries } from './queries.ts';

/** The engine's side of queries: little enough for an app that has none. */
export interface QueryHost extends Pick<EngineApi, 'openQuery' | 'closeQuery'> {
  /** What the rows' changes are told; undefined as long as no query was opened. */
  readonly open: Queries | undefined;
  /** Loads what answers queries, where the app is made for them: it has to be there when the network is not. */
  prepare(): void;
}

export function createQueryHost(
  app: App,
  post: (message: EngineMessage) => void,
  /** Settles when a projection has rows to show. */
  ready: (projection: string) => Promise<void>,
  rowsNow: (projection: string) => ShownRows,
): QueryHost {
  const wanted = new Set<string>();
  let queries: Queries | undefined;
  const load = () => import('./queries.ts');
  return {
    get open() {
      return queries;
    },
    prepare: () => {
      if ([...app.projections.values()].some(({ indexes }) => indexes.length > 0)) load().catch(() => undefined);
    },
    openQuery: async (id, projection, query) => {
      wanted.add(id);
      const { createQueries } = await load();
      await ready(projection);
      // The page may have closed it meanwhile.
      if (!wanted.has(id)) return;
      queries ??= createQueries(app, post);
      queries.open(id, projection, query, rowsNow(projection));
    },
    closeQuery: (id) => {
      wanted.delete(id);
      queries?.close(id);
    },
  };
}
