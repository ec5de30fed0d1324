import type { LedgerSummary } from '../ledger-data.ts';

/** What stands in the page's DOM, and since when: times are of `performance.now()`, which starts at the navigation. */
export interface Screen {
  /** When the page first showed exactly this; waits for it. */
  shownAt(expected: LedgerSummary): Promise<number>;
  /** When an account's text changes next. */
  nextChange(account: string): Promise<number>;
}

export function createScreen(): Screen {
  let shown = { total: '', newest: '', at: 0 };
  const waiting = new Set<() => void>();
  // Called before the next paint, after the code that changed the DOM.
  const observer = new MutationObserver(() => {
    const total = textOf('[data-total]');
    const newest = textOf('[data-newest]');
    if (total !== shown.total || newest !== shown.newest) shown = { total, newest, at: performance.now() };
    for (const look of waiting) look();
  });
  observer.observe(document.body, { subtree: true, childList: true, characterData: true });

  /** Looks now and at every change until there is an answer. */
  function watch<Answer>(look: () => Answer | undefined): Promise<Answer> {
    return new Promise((resolve) => {
      const tryOnce = () => {
        const answer = look();
        if (answer === undefined) return;
        waiting.delete(tryOnce);
        resolve(answer);
      };
      waiting.add(tryOnce);
      tryOnce();
    });
  }

  return {
    shownAt: ({ total, newest }) =>
      watch(() => (shown.total === `${total}` && shown.newest === newest ? shown.at : undefined)),
    nextChange: (account) => {
      const selector = `[data-account="${account}"]`;
      const before = textOf(selector);
      return watch(() => (textOf(selector) === before ? undefined : performance.now()));
    },
  };
}

function textOf(selector: string): string {
  return document.querySelector(selector)?.textContent ?? '';
}
