import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from 'react';
import { AccountList } from './ledger/account-list.tsx';
import { AccountPage } from './ledger/account-page.tsx';
import { ImportDialog, type ImportDialogHandle } from './ledger/import-dialog.tsx';
import { Overview } from './ledger/overview.tsx';
import { RefusedNotice } from './ledger/sync/refused-notice.tsx';
import { SyncChip } from './ledger/sync/sync-chip.tsx';
import { useSample } from './ledger/use-sample.ts';
import { Shell } from './shell.tsx';
import { useHashRoute } from './use-hash-route.ts';

interface AppProps {
  /** What the browser has to say of the app itself, in a place of its own. */
  readonly notice?: ReactNode;
  /** Whether the ledger is one that another device began. */
  readonly isShared?: boolean;
}

export function App({ notice, isShared = false }: AppProps) {
  const importDialog = useRef<ImportDialogHandle>(null);
  const isDragging = useFileDrop((file) => importDialog.current?.open(file));
  const importButton = (
    <button type="button" className="primary" onClick={() => importDialog.current?.open()}>
      Import<span className="wide-only"> transactions</span>
    </button>
  );
  return (
    <Shell
      demo="Ledger"
      loading="Opening the book…"
      sync={<SyncChip isShared={isShared} />}
      action={importButton}
      notice={notice}
    >
      <RefusedNotice />
      <Book isShared={isShared} />
      <ImportDialog ref={importDialog} />
      {isDragging && <p className="drop-hint">Drop the file to import it</p>}
    </Shell>
  );
}

function Book({ isShared }: { readonly isShared: boolean }) {
  // What another device began has its own entries, and they are on their way.
  useSample(!isShared);
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
