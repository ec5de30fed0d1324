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
  return (
    <div className="notice bad" role="alert">
      <p>{failure.text}</p>
      {failure.type === 'storage.reset' && (
        <button type="button" onClick={() => client.startOver()}>
          Start over with nothing
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
    return this.state.caught ? <p className="loading">What is saved could not be opened.</p> : this.props.children;
  }
}
