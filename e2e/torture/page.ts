// Runs commands as fast as they are answered and tells the outside, which survives the kill, of every answer.
import { command, type Receipt } from 'varve';
import { createClient } from 'varve/client';
import { Tallies, Tally, torture } from './counter.ts';

/** What the outside keeps of an answer: enough to find the commit again. */
export interface Acknowledged {
  readonly commandId: string;
  readonly position: number;
  readonly events: number;
}

/** One stored event, as few words as possible: logs of these are long. */
export type StoredEvent = readonly [position: number, stream: string, revision: number, id: string, of: number];

declare global {
  interface Window {
    /** Given by the outside. */
    readonly acknowledge: (acknowledged: readonly Acknowledged[]) => Promise<void>;
    readonly torture: {
      readonly start: (lanes: number) => void;
      readonly readLog: () => Promise<StoredEvent[]>;
      readonly readRows: () => Promise<[string, number][]>;
    };
  }
}

const client = createClient(
  torture,
  () => new Worker(new URL('./torture.worker.ts', import.meta.url), { type: 'module' }),
  { askToPersist: false },
);

/** One lane sends the next command when the last one is answered; lanes share streams, so that they share commits. */
async function runLane(lane: number): Promise<never> {
  for (let turn = 0; ; turn += 1) {
    const receipt = await send(lane, turn);
    if (receipt.status !== 'saved') throw new Error(`A command was not saved: ${JSON.stringify(receipt)}`);
    const { commandId, position, events } = receipt;
    void report({ commandId, position, events });
  }
}

let unreported: Acknowledged[] = [];
let isReporting = false;

/** One call to the outside at a time, with all that came meanwhile: a call per answer swamps the outside. */
async function report(acknowledged: Acknowledged): Promise<void> {
  unreported.push(acknowledged);
  if (isReporting) return;
  isReporting = true;
  while (unreported.length > 0) {
    const batch = unreported;
    unreported = [];
    await window.acknowledge(batch);
  }
  isReporting = false;
}

function send(lane: number, turn: number): Promise<Receipt> {
  const durability = turn % 2 === 0 ? 'strict' : 'relaxed';
  const text = 'x'.repeat((turn * 37) % 500);
  const of = 1 + (turn % 4);
  if (turn % 5 === 0) {
    // Two streams in one commit.
    return client.execute(
      [
        command(Tally, `${lane % 3}`, 'count', { times: of, of: of + 1, text }),
        command(Tally, 'both', 'count', { times: 1, of: of + 1, text }),
      ],
      { durability },
    );
  }
  return client.execute(Tally, `${lane % 3}`, 'count', { times: of, of, text }, { durability });
}

Object.assign(window, {
  torture: {
    start: (lanes: number) => {
      for (let lane = 0; lane < lanes; lane += 1) void runLane(lane);
    },
    readLog: async () => {
      const events: StoredEvent[] = [];
      for await (const { position, stream, revision, id, data } of client.read()) {
        events.push([position, stream, revision, id, (data as { of: number }).of]);
      }
      return events;
    },
    readRows: async () => {
      const mirror = client.mirror(Tallies);
      await mirror.ready;
      return [...mirror.rows].map(([key, { count }]) => [key, count]);
    },
  } satisfies Window['torture'],
});
