import { useEffect, useRef, useState } from 'react';
import type { SyncStatus } from 'varve/client';
import { useClient, useStatus } from 'varve/react';
import { ShareLink } from './share-link.tsx';
import { hasServer, toSyncText } from './sync-text.ts';
import { toTime } from './to-time.ts';

/** Has the server what is saved here? In two words; pressed, it says more. */
export function SyncChip({ isShared }: { readonly isShared: boolean }) {
  const { sync, logId } = useStatus();
  const dialog = useRef<HTMLDialogElement>(null);
  const [isOpen, setOpen] = useState(false);
  if (sync === undefined || logId === undefined) return null;
  const { label, more, tone } = toSyncText(sync);
  return (
    <>
      <button
        type="button"
        className={`chip sync ${tone}`}
        aria-haspopup="dialog"
        onClick={() => {
          dialog.current?.showModal();
          setOpen(true);
        }}
      >
        <svg aria-hidden="true" viewBox="0 0 16 16" width="16" height="16">
          <path d="M5 13V3m0 0L2 6m3-3 3 3M11 3v10m0 0 3-3m-3 3-3-3" />
        </svg>
        <span className="visually-hidden">Sync: </span>
        {label} {more !== undefined && <span className="wide-only">{more}</span>}
      </button>
      <dialog ref={dialog} aria-labelledby="sync-title" onClose={() => setOpen(false)}>
        {isOpen && <Details sync={sync} logId={logId} isShared={isShared} onClose={() => dialog.current?.close()} />}
      </dialog>
    </>
  );
}

interface DetailsProps {
  readonly sync: SyncStatus;
  readonly logId: string;
  readonly isShared: boolean;
  readonly onClose: () => void;
}

function Details({ sync, logId, isShared, onClose }: DetailsProps) {
  const client = useClient();
  const { text } = toSyncText(sync);
  return (
    <div className="stack">
      <h2 id="sync-title">Sync</h2>
      <p role="status">{text}</p>
      {hasServer(sync) && (
        <>
          <Facts sync={sync} />
          <ShareLink logId={logId} isShared={isShared} />
        </>
      )}
      {isShared && (
        <a className="back" href="/">
          Back to this device’s own ledger
        </a>
      )}
      <div className="actions">
        <button type="button" onClick={() => client.syncNow()}>
          Sync now
        </button>
        <button type="button" className="primary" onClick={onClose}>
          Close
        </button>
      </div>
    </div>
  );
}

function Facts({ sync }: Pick<DetailsProps, 'sync'>) {
  const now = useNow();
  const { nextTryAt } = toSyncText(sync);
  return (
    <dl className="facts">
      <dt>Waiting to be confirmed</dt>
      <dd>{sync.pending.toLocaleString('en')}</dd>
      <dt>Last in step</dt>
      <dd>{sync.syncedAt === undefined ? 'not yet' : toTime(sync.syncedAt, 'medium')}</dd>
      {nextTryAt !== undefined && (
        <>
          <dt>Next try</dt>
          <dd>in {Math.max(0, Math.ceil((nextTryAt - now) / 1000))} s</dd>
        </>
      )}
    </dl>
  );
}

/** The time, once a second. */
function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
