import { createRoot } from 'react-dom/client';
import type { Contestant } from '../contestants/contestant.ts';
import { type Bench, createBench } from './bench.ts';
import { LedgerView } from './ledger-view.tsx';
import { createScreen } from './screen.ts';

declare global {
  interface Window {
    readonly bench: Bench;
  }
}

/** Shows a contestant's ledger, and gives the runner what it calls. `wrap` is what its hooks need around them. */
export function mountContestant(
  contestant: Contestant,
  wrap: (view: React.ReactElement) => React.ReactElement = (view) => view,
): void {
  const bench = createBench(contestant, createScreen());
  Object.assign(window, { bench });
  createRoot(document.getElementById('root') ?? document.body).render(wrap(<LedgerView hooks={contestant.hooks} />));
}
