import type { ReactElement, ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { type AccountRow, topLength } from '../query-app.ts';

/** One way to keep rows and to show the first of them in an order. */
export interface QueryContestant {
  /** Stores so many rows. */
  fill(count: number): Promise<void>;
  /** Resolves when the worker has all rows in memory, and nothing else of a query. */
  load(): Promise<void>;
  /** The first rows by balance, highest first; undefined as long as they have not come. */
  readonly useTop: () => readonly { readonly key: string; readonly row: AccountRow }[] | undefined;
  /** Stores a row's new balance. */
  change(key: string, row: AccountRow): Promise<void>;
  readonly wrap?: (view: ReactElement) => ReactNode;
}

/** What the runner calls in a page. Times are milliseconds. */
export interface QueryBench {
  fill(count: number): Promise<void>;
  load(): Promise<void>;
  /** Mount → rows on screen, each time from nothing. */
  first(count: number): Promise<number[]>;
  /** Command → changed window in the DOM, 25 ms apart. */
  update(count: number): Promise<number[]>;
}

declare global {
  interface Window {
    readonly queryBench: QueryBench;
  }
}

/** Longer than a window stays open that nobody shows. */
const pauseMs = 7_000;

export function mountQueryBench(contestant: QueryContestant): void {
  const { useTop } = contestant;
  const Top = () => (
    <ol>
      {useTop()?.map(({ key, row }) => (
        <li key={key} data-key={key}>
          {row.balance}
        </li>
      ))}
    </ol>
  );

  function mount() {
    const container = document.body.appendChild(document.createElement('div'));
    const root = createRoot(container);
    const until = (holds: () => boolean) =>
      new Promise<number>((resolve) => {
        // Called before the next paint, after the code that changed the DOM.
        const observer = new MutationObserver(() => {
          if (!holds()) return;
          observer.disconnect();
          resolve(performance.now());
        });
        observer.observe(container, { subtree: true, childList: true, characterData: true });
      });
    const shown = until(() => container.querySelectorAll('li').length === topLength);
    const start = performance.now();
    root.render(contestant.wrap?.(<Top />) ?? <Top />);
    return {
      until,
      firstMs: shown.then((at) => at - start),
      lines: () => [...container.querySelectorAll('li')],
      unmount: () => {
        root.unmount();
        container.remove();
      },
    };
  }

  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  Object.assign(window, {
    queryBench: {
      fill: contestant.fill,
      load: contestant.load,
      first: async (count) => {
        const times: number[] = [];
        for (let turn = 0; turn < count; turn += 1) {
          if (turn > 0) await pause(pauseMs);
          const page = mount();
          times.push(await page.firstMs);
          page.unmount();
        }
        return times;
      },
      update: async (count) => {
        const page = mount();
        await page.firstMs;
        await pause(2_000);
        const times: number[] = [];
        for (let turn = 0; turn < count; turn += 1) {
          // The last line becomes the first: one row of the window changes, and all of them move.
          const lines = page.lines();
          const key = lines.at(-1)?.dataset.key ?? '';
          const balance = Number(lines[0]?.textContent) + 1;
          const changed = page.until(() => page.lines()[0]?.textContent === `${balance}`);
          const start = performance.now();
          const saved = contestant.change(key, { owner: 'changed', balance });
          times.push((await changed) - start);
          await saved;
          await pause(25);
        }
        page.unmount();
        return times;
      },
    } satisfies QueryBench,
  });
}
