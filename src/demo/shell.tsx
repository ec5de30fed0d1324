import type { ReactNode } from 'react';
import { useClient, VarveProvider } from 'varve/react';
import { FailureBoundary, FailureNotice } from './failure-notice.tsx';
import { StatusChip } from './status-chip.tsx';

const others = {
  Ledger: { name: 'Tasks', href: '/tasks/' },
  Tasks: { name: 'Ledger', href: '/' },
} as const;

/** What each demo stands in: the way to the other one, whether everything is saved, and what is wrong where it is not. */
export function Shell({
  demo,
  loading,
  sync,
  action,
  notice,
  children,
}: {
  readonly demo: keyof typeof others;
  /** Stands there until the first rows have arrived. */
  readonly loading: string;
  readonly sync?: ReactNode;
  readonly action?: ReactNode;
  /** What the browser has to say of the app itself. */
  readonly notice?: ReactNode;
  readonly children: ReactNode;
}) {
  const client = useClient();
  const other = others[demo];
  return (
    <div className="app">
      <header className="top">
        <a className="brand" href="#/">
          <svg aria-hidden="true" viewBox="0 0 32 32" width="28" height="28">
            <path d="M3 9c6-4 9 3 13 1s7-4 13-1M3 16c6-4 9 3 13 1s7-4 13-1M3 23c6-4 9 3 13 1s7-4 13-1" />
          </svg>
          <span>{demo}</span>
        </a>
        <a className="other-demo" href={other.href}>
          {other.name}
        </a>
        <StatusChip />
        {sync}
        {action}
      </header>
      <FailureNotice />
      {notice}
      <FailureBoundary>
        <VarveProvider client={client} fallback={<p className="loading">{loading}</p>}>
          {children}
        </VarveProvider>
      </FailureBoundary>
    </div>
  );
}
