import { use, useCallback, useContext, useMemo, useState, useSyncExternalStore } from 'react';
import type { Client } from '../client/client.ts';
import type { LiveQuery } from '../client/live-query.ts';
import { FailureError } from '../core/errors.ts';
import type { Projection, RowOf } from '../core/projection.ts';
import type { QueryAnswer, RowQuery } from '../core/row-query.ts';
import { RetryContext, useClient } from './provider.tsx';
import type { NoSuspense } from './use-mirrored.ts';

/**
 * The rows of a projection that a query chooses, in its order; renders again when one of them changes, and only then.
 *
 * They are computed in the worker and kept up to date; nothing else of the projection comes to the page. The query counts
 * by what it says: it may be written inline. When the query changes, the rows of the one before stay, with `isStale`,
 * until those of the new one have come.
 *
 * Suspends, or not, as `useProjection` does; each call for its own first answer. Throws, to the nearest error boundary,
 * where the projection cannot answer the query.
 *
 * ### Example
 * ```tsx
 * const [after, setAfter] = useState<Cursor>();
 * const { rows, next, isStale } = useQuery(Accounts, { where: { owner }, orderBy: ['balance', 'desc'], limit: 20, after });
 * return (
 *   <ol style={{ opacity: isStale ? 0.5 : 1 }}>
 *     {rows.map(({ key, row }) => <li key={key}>{row.balance}</li>)}
 *     <button disabled={next === undefined} onClick={() => setAfter(next)}>More</button>
 *   </ol>
 * );
 * ```
 */
export function useQuery<P extends Projection>(projection: P, query?: RowQuery<P>): QueriedRows<P>;
export function useQuery<P extends Projection>(
  projection: P,
  query: RowQuery<P> | undefined,
  options: NoSuspense,
): QueriedRows<P> | undefined;
export function useQuery<P extends Projection>(
  projection: P,
  query: RowQuery<P> = {},
  options?: NoSuspense,
): QueriedRows<P> | undefined {
  const client = useClient();
  const retry = useContext(RetryContext);
  const suspends = options === undefined;
  const content = JSON.stringify(query);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what the query says counts, not which object says it
  const asked = useMemo(() => followQuery(client, projection, query), [client, projection, content]);
  const [last, setLast] = useState(asked);
  // Rows of another projection, or of another log, are no answer.
  const shown = last.client === client && last.projection === projection ? last : asked;
  const subscribe = useCallback(
    (listener: () => void) => {
      const ends = [...new Set([asked, shown])].map((followed) => followed.subscribe(listener));
      return () => {
        for (const end of ends) end();
      };
    },
    [asked, shown],
  );
  const snapshot = useSyncExternalStore<QueryAnswer<RowOf<P>> | Error | undefined>(
    subscribe,
    () => asked.read() ?? shown.read(),
    () => noRows,
  );
  const isServed = snapshot === noRows;
  // What a server rendered stays on screen until the rows come: to suspend now would replace it by the fallback.
  const [servedProjection] = useState(isServed ? projection : undefined);
  const isStale = !isServed && !asked.isCurrent();
  const isAnswered = snapshot !== undefined && !(snapshot instanceof Error);
  const answer = isAnswered ? snapshot : noRows;
  const result = useMemo(() => ({ ...answer, isStale: isStale && isAnswered }), [answer, isStale, isAnswered]);
  // Who does not suspend has no boundary for failures either, and reads the status. A defect is for a developer.
  if (snapshot instanceof Error && (suspends || !(snapshot instanceof FailureError))) throw snapshot;
  if (suspends && !isServed && servedProjection !== projection) {
    const { ready, loaded } = (isStale && shown !== asked ? shown : asked).open();
    // React notes on a promise that it has settled; of one that it has not seen before it would learn too late for this
    // render, and show the fallback for 300 ms.
    if (loaded) Object.assign(ready, { status: 'fulfilled' });
    // The same 300 ms hold back what follows a fallback, unless something else than the promise asks for it.
    else ready.then(retry, retry);
    // Of a window that was closed while its part of the page was hidden, the last rows stay until they come again.
    if (loaded || !isAnswered) use(ready);
  }
  // From now on these are the rows that stay when the query changes.
  if (!isStale && last !== asked) setLast(asked);
  return suspends || (isAnswered && !isServed) ? result : undefined;
}

/** What a query chose, and whether that is what the query before it chose. */
type QueriedRows<P extends Projection> = QueryAnswer<RowOf<P>> & { readonly isStale: boolean };

/** What a server renders. */
const noRows: QueryAnswer<never> = Object.freeze({ rows: Object.freeze([]), next: undefined, total: undefined });

/** A query as long as a component follows it. */
interface FollowedQuery<P extends Projection> {
  readonly client: Client;
  readonly projection: P;
  /** Opens its window, where it is not open. */
  open(): LiveQuery<RowOf<P>>;
  /** The last answer, or why there is none; undefined before the first. */
  read(): QueryAnswer<RowOf<P>> | Error | undefined;
  /** Whether what `read` gives is the query's own and follows the log. */
  isCurrent(): boolean;
  subscribe(listener: () => void): () => void;
}

/** How long a window stays open that a render asked for and no component followed: React may have thrown the render away. */
const unfollowedMs = 5_000;

/** Touches the client when it is first read: nothing is opened on a server. */
function followQuery<P extends Projection>(client: Client, projection: P, query: RowQuery<P>): FollowedQuery<P> {
  let live: LiveQuery<RowOf<P>> | undefined;
  let answer: QueryAnswer<RowOf<P>> | undefined;
  let error: Error | undefined;

  function take(opened: LiveQuery<RowOf<P>>): LiveQuery<RowOf<P>> {
    live = opened;
    opened.ready.catch((thrown: Error) => {
      error = thrown;
    });
    return opened;
  }

  function open(): LiveQuery<RowOf<P>> {
    if (live !== undefined) return live;
    const opened = take(client.query(projection, query));
    const close = () => setTimeout(opened.close, unfollowedMs);
    opened.ready.then(close, close);
    return opened;
  }

  return {
    client,
    projection,
    open,
    read: () => {
      const opened = open();
      if (opened.loaded) answer = opened.answer;
      return answer ?? error;
    },
    isCurrent: () => open().loaded,
    subscribe: (listener) => {
      // Its window may have been closed since the render: a part of a page that was hidden is shown again.
      const followed = take(client.query(projection, query));
      followed.ready.catch(listener);
      const end = followed.subscribe(listener);
      return () => {
        end();
        followed.close();
      };
    },
  };
}
