import { useEffect, useRef } from 'react';
import { useClient, useStatus } from 'varve/react';
import { sampleCommandId, sampleCommands } from './sample.ts';

/** Fills a new book with the sample, once: the command id keeps a second tab, or a second run, from doing it again. */
export function useSample(isWanted: boolean): void {
  const client = useClient();
  const { phase, saved } = useStatus();
  const isSent = useRef(false);
  useEffect(() => {
    if (!isWanted || isSent.current || phase !== 'ready' || saved > 0) return;
    // A server may refuse it: then the book is empty again, and stays so.
    isSent.current = true;
    // A failure shows in the status; an empty book is no harm.
    void client.execute(sampleCommands(), { commandId: sampleCommandId, expectedRevision: 'no-stream' });
  }, [client, isWanted, phase, saved]);
}
