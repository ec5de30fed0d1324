import { type Ref, useImperativeHandle, useRef, useState } from 'react';
import { useClient, useProjection } from 'varve/react';
import { type ImportProgress, type ImportResult, importStatement } from './import-statement.ts';
import { Accounts } from './ledger.ts';

export interface ImportDialogHandle {
  /** Shows the dialog, and starts at once where there is a file. */
  open(file?: File): void;
}

type State =
  | { readonly step: 'choosing' }
  | { readonly step: 'running'; readonly name: string; readonly progress: ImportProgress }
  | { readonly step: 'ended'; readonly name: string; readonly result: ImportResult };

const shownProblems = 20;

/** From a file to a commit: progress all the way, a way out at any time, and either all of it or nothing. */
export function ImportDialog({ ref }: { readonly ref: Ref<ImportDialogHandle> }) {
  const client = useClient();
  const dialog = useRef<HTMLDialogElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const running = useRef<AbortController>(undefined);
  const [state, setState] = useState<State>({ step: 'choosing' });
  const [archiveSample, setArchiveSample] = useState(true);
  const sampleCount = useProjection(Accounts, countSamples);

  const run = async (file: File) => {
    if (running.current !== undefined) return;
    const controller = new AbortController();
    running.current = controller;
    const show = (progress: ImportProgress) => setState({ step: 'running', name: file.name, progress });
    show({ step: 'reading', done: 0, total: file.size });
    const result = await importStatement(client, file, { signal: controller.signal, archiveSample, onProgress: show });
    running.current = undefined;
    setState({ step: 'ended', name: file.name, result });
  };

  useImperativeHandle(ref, () => ({
    open: (file) => {
      if (running.current === undefined) setState({ step: 'choosing' });
      dialog.current?.showModal();
      if (file !== undefined) void run(file);
    },
  }));

  return (
    <dialog
      ref={dialog}
      className="import"
      aria-labelledby="import-title"
      onCancel={(event) => {
        // Escape closes the dialog, not an import that runs: that has a button of its own.
        if (running.current !== undefined) event.preventDefault();
      }}
    >
      <h2 id="import-title">Import transactions</h2>
      {state.step === 'choosing' && (
        <div className="stack">
          <p>
            A CSV file with “;” between fields and a header with <code>account_id</code>, <code>date</code>,{' '}
            <code>type</code> and <code>amount</code>; gzip is fine. You can also drop it anywhere on this page.
          </p>
          {sampleCount > 0 && (
            <label className="check">
              <input
                type="checkbox"
                checked={archiveSample}
                onChange={(event) => setArchiveSample(event.target.checked)}
              />
              Archive the {sampleCount} sample accounts
            </label>
          )}
          <input
            ref={picker}
            className="visually-hidden"
            type="file"
            tabIndex={-1}
            accept=".csv,.gz,text/csv,application/gzip"
            aria-label="Transactions file"
            onChange={(event) => {
              const file = event.target.files?.[0];
              event.target.value = '';
              if (file !== undefined) void run(file);
            }}
          />
          <div className="actions">
            <button type="button" onClick={() => dialog.current?.close()}>
              Close
            </button>
            <button type="button" className="primary" onClick={() => picker.current?.click()}>
              Choose a file
            </button>
          </div>
        </div>
      )}
      {state.step === 'running' && (
        <div className="stack">
          <Progress name={state.name} progress={state.progress} />
          <div className="actions">
            <button type="button" onClick={() => running.current?.abort()}>
              Cancel the import
            </button>
          </div>
        </div>
      )}
      {state.step === 'ended' && (
        <div className="stack">
          <Result name={state.name} result={state.result} />
          <div className="actions">
            <button type="button" onClick={() => setState({ step: 'choosing' })}>
              Import another file
            </button>
            <button type="button" className="primary" onClick={() => dialog.current?.close()}>
              Done
            </button>
          </div>
        </div>
      )}
    </dialog>
  );
}

function countSamples(rows: ReadonlyMap<string, { readonly sample: boolean }>): number {
  let count = 0;
  for (const { sample } of rows.values()) if (sample) count += 1;
  return count;
}

function Progress({
  name,
  progress: { step, done, total },
}: {
  readonly name: string;
  readonly progress: ImportProgress;
}) {
  const text =
    step === 'reading'
      ? `Reading ${name}`
      : `Saving ${done.toLocaleString('en')} of ${total.toLocaleString('en')} transactions`;
  return (
    <label className="progress">
      {text}
      <progress value={done} max={Math.max(1, total)} />
    </label>
  );
}

function Result({ name, result }: { readonly name: string; readonly result: ImportResult }) {
  switch (result.status) {
    case 'imported':
      return (
        <p role="status">
          Imported {result.lines.toLocaleString('en')} transactions on {result.accounts.toLocaleString('en')} accounts
          from {name}.
        </p>
      );
    case 'known':
      return <p role="status">{name} was imported before. Nothing changed.</p>;
    case 'cancelled':
      return <p role="status">The import was cancelled. Nothing was saved.</p>;
    case 'failed':
      return (
        <p className="error" role="alert">
          {result.text} Nothing was imported.
        </p>
      );
    case 'malformed':
      return (
        <div role="alert">
          <p className="error">
            {result.problems.length.toLocaleString('en')} malformed {result.problems.length === 1 ? 'line' : 'lines'} in{' '}
            {name}. Nothing was imported.
          </p>
          <ul className="problems">
            {result.problems.slice(0, shownProblems).map(({ line, text }) => (
              <li key={line}>
                Line {line}: {text}
              </li>
            ))}
            {result.problems.length > shownProblems && <li>… and {result.problems.length - shownProblems} more.</li>}
          </ul>
        </div>
      );
  }
}
