import { Component, type ReactNode } from 'react';
import { useClient, useStatus } from 'varve/react';

/** What is wrong with the storage, and what to do. */
export function FailureNotice() {
  const { failure, projectionErrors } = useStatus();
  const client = useClient();
  if (failure === undefined) {
    return projectionErrors.map((error) => (
      <div key={error.projection} className="notice bad" role="alert">
        <p>{error.text}</p>
      </div>
    ));
  }
  return (
    <div className="notice bad" role="alert">
      <p>{failure.text}</p>
      {failure.type === 'storage.reset' && (
        <button type="button" onClick={() => client.startOver()}>
          Start over with an empty book
        </button>
      )}
      <button type="button" onClick={() => location.reload()}>
        Reload
      </button>
    </div>
  );
}

/** Keeps a failed start from taking the notice above down with it, and tries again once the storage has not failed any more. */
export function FailureBoundary({ children }: { readonly children: ReactNode }) {
  const { phase } = useStatus();
  return <Boundary isFailed={phase === 'failed'}>{children}</Boundary>;
}

interface BoundaryProps {
  readonly isFailed: boolean;
  readonly children: ReactNode;
}

class Boundary extends Component<BoundaryProps, { readonly caught: boolean }> {
  override state = { caught: false };

  static getDerivedStateFromError() {
    return { caught: true };
  }

  override componentDidUpdate(before: BoundaryProps) {
    if (before.isFailed && !this.props.isFailed) this.setState({ caught: false });
  }

  override render() {
    return this.state.caught ? <p className="loading">The book could not be opened.</p> : this.props.children;
  }
}
