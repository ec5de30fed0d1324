import { type ReactNode, useRef } from 'react';
import { AccountList } from './ledger/account-list.tsx';
import { AccountPage } from './ledger/account-page.tsx';
import { routeToAccountId } from './ledger/account-route.ts';
import { ImportDialog, type ImportDialogHandle } from './ledger/import-dialog.tsx';
import { Overview } from './ledger/overview.tsx';
import { RefusedNotice } from './ledger/sync/refused-notice.tsx';
import { SyncChip } from './ledger/sync/sync-chip.tsx';
import { useSample } from './ledger/use-sample.ts';
import { Shell } from './shell.tsx';
import { useFileDrop } from './use-file-drop.ts';
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
  const id = routeToAccountId(useHashRoute());
  return (
    <main className={id === undefined ? 'book at-overview' : 'book at-account'}>
      <AccountList selected={id} />
      {id === undefined ? <Overview /> : <AccountPage key={id} id={id} />}
    </main>
  );
}
