import { utf8Length } from '../../log/segment-room.ts';
import type { PushedCommit, SyncLimits } from '../../protocol/sync-messages.ts';

/** What a commit takes in a push besides its own text. */
const envelopeBytes = 300;

/**
 * Fills one push: `take` answers false where a commit has no room any more. The first has it always, however large: it
 * goes whole, and the server says what it thinks of it.
 */
export function createPushRoom({ pushEvents, bodyBytes }: SyncLimits): { take(pushed: PushedCommit): boolean } {
  let [commits, events, bytes] = [0, 0, 0];
  return {
    take: (pushed) => {
      events += pushed.commit.events.length;
      bytes += utf8Length(JSON.stringify(pushed)) + envelopeBytes;
      commits += 1;
      return commits === 1 || (events <= pushEvents && bytes <= bodyBytes);
    },
  };
}
