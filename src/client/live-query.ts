import type { Projection, RowOf } from '../core/projection.ts';
import type { AnyRowQuery, KeyedRow, QueryAnswer, RowQuery } from '../core/row-query.ts';
import type { WindowEnd } from '../protocol/engine-api.ts';
import type { Connection } from './connection.ts';
import { createMirror, type MirrorFeed } from './mirror.ts';

/** A query whose answer follows the log, as long as it is open. */
export interface LiveQuery<Row = unknown> {
  /** Whether the first answer has come. */
  readonly loaded: boolean;
  /** Settles when the first answer has come; rejects where it cannot, or where the projection cannot answer the query. */
  readonly ready: Promise<void>;
  /** The answer of now: the same object as long as nothing in it changes. Without rows before the first has come. */
  readonly answer: QueryAnswer<Row>;
  /** Those of the answer. */
  readonly rows: readonly KeyedRow<Row>[];
  /** Calls `listener` when there is another answer. */
  subscribe(listener: () => void): () => void;
  /** Ends this use of the query. What was answered stays; it follows the log no more once nobody uses the query. */
  close(): void;
}

/** Opens queries: what `Client.query` is. */
export type OpenQuery = <P extends Projection>(projection: P, query?: RowQuery<P>) => LiveQuery<RowOf<P>>;

/** How long a window stays open that nobody uses: a component that is mounted twice, or a way there and back. */
const closeDelayMs = 1_000;

/** `feeds`: the mirrors of the page, where windows are mirrored under their ids. `request` has the worker open one. */
export function createOpenQuery(
  feeds: Map<string, MirrorFeed>,
  call: Connection['call'],
  request: (id: string) => void,
): OpenQuery {
  const openByContent = new Map<string, ReturnType<typeof openWindow>>();
  let lastId = 0;

  function openWindow(projection: string, query: AnyRowQuery, content: string) {
    lastId += 1;
    // No projection's name: they start with a letter.
    const id = `?${lastId}`;
    const { feed, answer } = createWindowFeed(id, () => request(id));
    const users = new Set<object>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const opened = { mirror: feed.mirror, answer, use };
    feeds.set(id, { ...feed, ask: (api) => api.openQuery(id, projection, query) });
    openByContent.set(content, opened);
    request(id);

    function closeWindow(): void {
      openByContent.delete(content);
      feeds.delete(id);
      // Who waits for a position waits no longer.
      feed.fail(new Error('The query was closed.'));
      call((api) => api.closeQuery(id)).catch(() => undefined);
    }

    /** @returns what ends the use; the first call counts. */
    function use(): () => void {
      const user = {};
      users.add(user);
      clearTimeout(timer);
      return () => {
        if (users.delete(user) && users.size === 0) timer = setTimeout(closeWindow, closeDelayMs);
      };
    }

    return opened;
  }

  return <P extends Projection>({ name }: P, query: RowQuery<P> = {}): LiveQuery<RowOf<P>> => {
    const content = JSON.stringify([name, query]);
    const { mirror, answer, use } = openByContent.get(content) ?? openWindow(name, query, content);
    // The rows were made by this projection: its name is unique in the app.
    const answerNow = answer as () => QueryAnswer<RowOf<P>>;
    return {
      get loaded() {
        return mirror.loaded;
      },
      get ready() {
        return mirror.ready;
      },
      get answer() {
        return answerNow();
      },
      get rows() {
        return answerNow().rows;
      },
      subscribe: mirror.subscribe,
      close: use(),
    };
  };
}

/** The page's copy of a window: a mirror whose rows have places, and what is known of the rows behind them. */
export function createWindowFeed(
  id: string,
  onGap: () => void,
): { readonly feed: MirrorFeed; readonly answer: () => QueryAnswer } {
  let end: WindowEnd = {};
  let answer: QueryAnswer = Object.freeze({ rows: [], next: undefined, total: undefined });
  let answered = 0;
  const feed = createMirror(id, onGap, (rows, changes, newEnd) => {
    end = newEnd ?? end;
    for (const { key } of changes) rows.delete(key);
    const list = [...rows];
    for (const { key, row, place = 0 } of changes) if (row !== null) list.splice(place, 0, [key, row]);
    rows.clear();
    for (const [key, row] of list) rows.set(key, row);
    return newEnd !== undefined || changes.length > 0;
  });
  const { mirror } = feed;
  return {
    feed: {
      ...feed,
      applySnapshot: (snapshot) => {
        end = snapshot.end ?? {};
        feed.applySnapshot(snapshot);
      },
    },
    answer: () => {
      if (answered === mirror.changeCount) return answer;
      answered = mirror.changeCount;
      const old = new Map(answer.rows.map((keyed) => [keyed.key, keyed]));
      const rows = Array.from(mirror.rows, ([key, row]): KeyedRow => {
        const keyed = old.get(key);
        // From a new worker come new copies: a row that says the same is the one that was there.
        return keyed && isSameData(keyed.row, row) ? keyed : Object.freeze({ key, row: Object.freeze(row) });
      });
      const now = { rows: Object.freeze(rows), next: end.next, total: end.total };
      if (!isSameData(answer, now)) answer = Object.freeze(now);
      return answer;
    },
  };
}

/** Whether two values that crossed from the worker say the same. What is neither an object nor a list is itself or another. */
function isSameData(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  const kind = (left as object | null)?.constructor;
  if (kind !== (right as object | null)?.constructor || (kind !== Object && kind !== Array)) return false;
  const [fields, others] = [left as Fields, right as Fields];
  const names = Object.keys(fields);
  return (
    names.length === Object.keys(others).length &&
    names.every((name) => name in others && isSameData(fields[name], others[name]))
  );
}

type Fields = Readonly<Record<string, unknown>>;
