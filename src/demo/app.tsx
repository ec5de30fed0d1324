import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from 'react';
import { useClient, VarveProvider } from 'varve/react';
import { FailureBoundary, FailureNotice } from './failure-notice.tsx';
import { AccountList } from './ledger/account-list.tsx';
import { AccountPage } from './ledger/account-page.tsx';
import { ImportDialog, type ImportDialogHandle } from './ledger/import-dialog.tsx';
import { Overview } from './ledger/overview.tsx';
import { useSample } from './ledger/use-sample.ts';
import { StatusChip } from './status-chip.tsx';
import { useHashRoute } from './use-hash-route.ts';

/** `notice`: what the browser has to say of the app itself, in a place of its own. */
export function App({ notice }: { readonly notice?: ReactNode }) {
  const client = useClient();
  const importDialog = useRef<ImportDialogHandle>(null);
  const isDragging = useFileDrop((file) => importDialog.current?.open(file));
  return (
    <div className={isDragging ? 'app dragging' : 'app'}>
      <header className="top">
        <a className="brand" href="#/">
          <svg aria-hidden="true" viewBox="0 0 32 32" width="28" height="28">
            <path d="M3 9c6-4 9 3 13 1s7-4 13-1M3 16c6-4 9 3 13 1s7-4 13-1M3 23c6-4 9 3 13 1s7-4 13-1" />
          </svg>
          <span>Ledger</span>
        </a>
        <StatusChip />
        <button type="button" className="primary" onClick={() => importDialog.current?.open()}>
          Import<span className="wide-only"> transactions</span>
        </button>
      </header>
      <FailureNotice />
      {notice}
      <FailureBoundary>
        <VarveProvider client={client} fallback={<p className="loading">Opening the book…</p>}>
          <Book />
          <ImportDialog ref={importDialog} />
        </VarveProvider>
      </FailureBoundary>
    </div>
  );
}

function Book() {
  useSample();
  const route = useHashRoute();
  const accountId = /^\/account\/(.+)$/.exec(route)?.[1];
  const id = accountId === undefined ? undefined : decodeURIComponent(accountId);
  return (
    <main className={id === undefined ? 'book at-overview' : 'book at-account'}>
      <AccountList selected={id} />
      {id === undefined ? <Overview /> : <AccountPage key={id} id={id} />}
    </main>
  );
}

/** Takes a file that is dropped anywhere on the page. */
function useFileDrop(onFile: (file: File) => void): boolean {
  const [isDragging, setDragging] = useState(false);
  const take = useEffectEvent(onFile);
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      setDragging(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setDragging(false);
    };
    const drop = (event: DragEvent) => {
      event.preventDefault();
      setDragging(false);
      const file = event.dataTransfer?.files[0];
      if (file !== undefined) take(file);
    };
    addEventListener('dragover', over);
    addEventListener('dragleave', leave);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('dragleave', leave);
      removeEventListener('drop', drop);
    };
  }, []);
  return isDragging;
}
