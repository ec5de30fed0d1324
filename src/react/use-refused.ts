import { useEffect, useState } from 'react';
import type { RefusedCommit } from '../client/client.ts';
import { askUntilAnswered } from './ask-until-answered.ts';
import { useClient } from './provider.tsx';

/**
 * What had been saved here and was withdrawn by sync, oldest first, until the app drops it (`Client.dropRefused`): with
 * its events, the reason, and what had been asked.
 *
 * Empty where there is nothing, until it has been read, without sync, and on a server. Never suspends.
 *
 * ### Example
 * ```tsx
 * const refused = useRefused();
 * return refused.length > 0 && <Notice commits={refused} />;
 * ```
 */
export function useRefused(): readonly RefusedCommit[] {
  const client = useClient();
  const [commits, setCommits] = useState(none);
  useEffect(() => {
    let shown: readonly RefusedCommit[] | undefined;
    let known = '';
    let stopAsking = () => {};

    function look(): void {
      const { sync, rebases } = client.status.getState();
      const { refused = 0, pending, confirmed } = sync ?? {};
      // One that is dropped while another is withdrawn leaves the count as it was: what moved with it tells.
      const state = `${refused} ${pending} ${confirmed} ${rebases}`;
      if (state === known) return;
      known = state;
      stopAsking();
      stopAsking = askUntilAnswered(async () => {
        const read = refused === 0 ? none : await client.readRefused();
        if (state !== known || (shown !== undefined && isSame(shown, read))) return;
        shown = read;
        setCommits(read);
      });
    }

    look();
    const forget = client.status.subscribe(look);
    return () => {
      known = 'unmounted';
      stopAsking();
      forget();
    };
  }, [client]);
  return commits;
}

const none: readonly RefusedCommit[] = [];

/** A command that is withdrawn twice is withdrawn at another time. */
function isSame(one: readonly RefusedCommit[], other: readonly RefusedCommit[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ commandId, refusedAt }, at) => {
      const twin = other[at];
      return twin?.commandId === commandId && twin.refusedAt === refusedAt;
    })
  );
}
