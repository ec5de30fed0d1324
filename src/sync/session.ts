import type { SyncReason } from '../protocol/sync-host.ts';
import type { SyncPoke } from '../protocol/sync-messages.ts';
import { createAcknowledgements } from './acknowledgements.ts';
import { type Memory, type Parties, runCycle } from './cycle.ts';
import type { SyncRefusal } from './transport.ts';
import type { Turn } from './turn.ts';

/** What a client and a server say to each other, cycle after cycle, and what it remembers of that in between. */
export interface Session {
  /** One cycle; of what is waited with, only what it is is thrown. */
  run(turn: Turn, waiting: SyncRefusal | undefined): Promise<SyncReason | undefined>;
  /** Something may have changed there: it says hello before it goes on. */
  greetAgain(): void;
  /** Of the server; undefined where none was met. */
  readonly epoch: string | undefined;
  isKnown(poke: SyncPoke): boolean;
}

export function createSession(parties: Parties): Session {
  const memory: Memory = {
    acknowledged: createAcknowledgements(parties.host.env),
    server: undefined,
    mustGreet: true,
    base: undefined,
    share: 1,
    patience: { pull: 1, push: 1 },
  };
  return {
    run: (turn, waiting) => runCycle(parties, memory, turn, waiting),
    greetAgain: () => {
      memory.mustGreet = true;
    },
    get epoch() {
      return memory.server?.epoch;
    },
    isKnown: ({ epoch, g }) => memory.server?.epoch === epoch && (memory.base?.g ?? -1) >= g,
  };
}
