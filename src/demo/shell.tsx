import type { ReactNode } from 'react';
import { useClient, VarveProvider } from 'varve/react';
import { FailureBoundary, FailureNotice } from './failure-notice.tsx';
import { PwaNotice } from './pwa-notice.tsx';
import { StatusChip } from './status-chip.tsx';

/** What a demo stands in: its name, whether everything is saved, and what is wrong where it is not. */
export function Shell({
  demo,
  loading,
  action,
  children,
}: {
  readonly demo: string;
  /** Stands there until the first rows have arrived. */
  readonly loading: string;
  readonly action?: ReactNode;
  readonly children: ReactNode;
}) {
  const client = useClient();
  return (
    <div className="app">
      <header className="top">
        <a className="brand" href="#/">
          <svg aria-hidden="true" viewBox="0 0 32 32" width="28" height="28">
            <path d="M3 9c6-4 9 3 13 1s7-4 13-1M3 16c6-4 9 3 13 1s7-4 13-1M3 23c6-4 9 3 13 1s7-4 13-1" />
          </svg>
          <span>{demo}</span>
        </a>
        <StatusChip />
        {action}
      </header>
      <FailureNotice />
      <PwaNotice />
      <FailureBoundary>
        <VarveProvider client={client} fallback={<p className="loading">{loading}</p>}>
          {children}
        </VarveProvider>
      </FailureBoundary>
    </div>
  );
}
