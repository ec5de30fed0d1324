import { useEffect } from 'react';
import { useClient, useStatus } from 'varve/react';
import { sampleCommandId, sampleCommands } from './sample.ts';

/** Fills a new book with the sample, once: the command id keeps a second tab, or a second run, from doing it again. */
export function useSample(): void {
  const client = useClient();
  const { phase, saved } = useStatus();
  useEffect(() => {
    if (phase !== 'ready' || saved > 0) return;
    // A failure shows in the status; an empty book is no harm.
    void client.execute(sampleCommands(), { commandId: sampleCommandId, expectedRevision: 'no-stream' });
  }, [client, phase, saved]);
}
