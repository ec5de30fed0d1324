import { Component, type ReactNode } from 'react';
import { useClient, useStatus } from 'varve/react';

/** What is wrong with the storage, and what to do. */
export function FailureNotice() {
  const { failure, projections, unreadable } = useStatus();
  const client = useClient();
  if (failure === undefined) {
    const texts = [...projections.flatMap(({ errors }) => errors.slice(0, 1)), ...unreadable].map(({ text }) => text);
    return texts.map((text) => (
      <div key={text} className="notice bad" role="alert">
        <p>{text}</p>
      </div>
    ));
  }
  const startOver = () => {
    client.startOver();
    location.reload();
  };
  return (
    <div className="notice bad" role="alert">
      <p>{failure.text}</p>
      {failure.type === 'storage.reset' && (
        <button type="button" onClick={startOver}>
          Start over with nothing
        </button>
      )}
      <button type="button" onClick={() => location.reload()}>
        Reload
      </button>
    </div>
  );
}

/** Keeps a failed start from taking the notice above down with it. */
export class FailureBoundary extends Component<{ readonly children: ReactNode }, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? <p className="loading">What is saved could not be opened.</p> : this.props.children;
  }
}
