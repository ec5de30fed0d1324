import type { Projection, RowOf } from '../core/projection.ts';
import type { AnyRowQuery, KeyedRow, QueryAnswer, RowQuery } from '../core/row-query.ts';
import type { WindowEnd } from '../protocol/engine-api.ts';
import type { Connection } from './connection.ts';
import { createMirror, type MirrorFeed } from './mirror.ts';

/** A query whose answer follows the log, as long as it is open. */
export interface LiveQuery<Row = unknown> {
  readonly projection: string;
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

const noAnswer: QueryAnswer = Object.freeze({ rows: Object.freeze([]), next: undefined, total: undefined });

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
    let users = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const opened = { mirror: feed.mirror, answer, use };
    feeds.set(id, { ...feed, ask: (api) => api.openQuery(id, projection, query) });
    openByContent.set(content, opened);
    request(id);

    function closeWindow(): void {
      openByContent.delete(content);
      feeds.delete(id);
      // Who waits for a position waits no longer.
      feed.fail(new Error(`A query of the projection "${projection}" was closed.`));
      call((api) => api.closeQuery(id)).catch(() => undefined);
    }

    /** @returns what ends the use; the first call counts. */
    function use(): () => void {
      let isUsed = true;
      users += 1;
      clearTimeout(timer);
      return () => {
        if (isUsed) users -= 1;
        if (isUsed && users === 0) timer = setTimeout(closeWindow, closeDelayMs);
        isUsed = false;
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
      projection: name,
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
  let answer = noAnswer;
  let answered = 0;
  const feed = createMirror(id, onGap, (rows, changes, newEnd) => {
    end = newEnd ?? end;
    for (const { key } of changes) rows.delete(key);
    const list = [...rows];
    for (const { key, row, place = 0 } of changes) if (row !== null) list.splice(place, 0, [key, Object.freeze(row)]);
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
        // From a new worker come new copies: a row that says the same is the one that is there.
        const rows = snapshot.rows.map(([key, row]) => {
          const old = mirror.rows.get(key);
          return [key, isSameData(old, row) ? old : Object.freeze(row)] as const;
        });
        feed.applySnapshot({ ...snapshot, rows });
      },
    },
    answer: () => {
      if (answered === mirror.changeCount) return answer;
      answered = mirror.changeCount;
      const old = new Map(answer.rows.map((keyed) => [keyed.key, keyed]));
      const rows = Array.from(mirror.rows, ([key, row]): KeyedRow => {
        const keyed = old.get(key);
        return keyed !== undefined && keyed.row === row ? keyed : Object.freeze({ key, row });
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
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  const prototype: unknown = Object.getPrototypeOf(left);
  if (prototype !== Object.getPrototypeOf(right)) return false;
  if (prototype !== Object.prototype && prototype !== Array.prototype) return false;
  const fields = Object.entries(left);
  return (
    fields.length === Object.keys(right).length &&
    fields.every(([name, value]) => Object.hasOwn(right, name) && isSameData(value, Reflect.get(right, name)))
  );
}
