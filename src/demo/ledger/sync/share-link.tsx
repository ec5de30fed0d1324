import { useState } from 'react';
import { toShareLink } from './shared-log.ts';

/** The link of a ledger, to be copied. */
export function ShareLink({ logId, isShared }: { readonly logId: string; readonly isShared: boolean }) {
  const [copied, setCopied] = useState<'not yet' | 'done' | 'refused'>('not yet');
  const link = toShareLink(logId);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link);
      setCopied('done');
    } catch {
      // The user, or the browser, may have forbidden it; a page without https has no clipboard at all.
      setCopied('refused');
    }
  };
  return (
    <div className="share">
      <label>
        {isShared ? 'The link of this shared ledger' : 'Share this ledger: open its link in another browser'}
        <input readOnly value={link} onFocus={(event) => event.target.select()} />
      </label>
      <button type="button" onClick={() => void copy()}>
        {copied === 'done' ? 'Copied' : 'Copy'}
      </button>
      {copied === 'refused' && (
        <p className="error" role="alert">
          The browser did not let it be copied. Select the link, and copy it yourself.
        </p>
      )}
    </div>
  );
}
