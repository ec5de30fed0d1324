import type { ReactNode } from 'react';
import type { Status } from 'varve/client';
import { useStatus } from 'varve/react';

/** Is it saved? Always in sight, and always true. */
export function StatusChip() {
  const status = useStatus();
  return (
    <p className={`chip ${tone(status)}`} title={storageText[status.storage]}>
      <span className="dot" aria-hidden="true" />
      {savedText(status)}
      <span className="storage wide-only">{storageText[status.storage]}</span>
    </p>
  );
}

const storageText: Record<Status['storage'], string> = {
  persistent: 'kept on this device for good',
  'best-effort': 'kept on this device while it has space',
  memory: 'in memory only: gone with this page',
};

function savedText({ phase, saving, saved }: Status): ReactNode {
  switch (phase) {
    case 'booting':
      return 'Opening…';
    case 'failed':
      return 'Not saved';
    case 'outdated':
      return 'Reload to go on';
    case 'ready':
      if (saving > 0) return `Saving ${saving}…`;
      return (
        <span>
          Saved
          <span className="wide-only"> · {saved.toLocaleString('en')} events</span>
        </span>
      );
  }
}

function tone({ phase, saving, storage }: Status): string {
  if (phase === 'failed' || phase === 'outdated') return 'bad';
  return saving > 0 || phase === 'booting' || storage === 'memory' ? 'busy' : 'good';
}
