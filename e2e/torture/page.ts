// Runs commands as fast as they are answered and tells the outside, which survives the disturbance, of every answer.
import { command, type Receipt } from 'varve';
import { type Client, createClient } from 'varve/client';
import { Tallies, Tally, torture } from './counter.ts';

type Checked = Awaited<ReturnType<Client['verify']>>;

/** What the outside keeps of an answer: enough to find the commit again, and to know how long it took to come. */
export interface Acknowledged {
  readonly commandId: string;
  readonly position: number;
  readonly events: number;
  /** Rises with every page and every worker: an answer of a higher one came after what ended the lower one. */
  readonly life: number;
  readonly at: number;
}

/** One stored event, as few words as possible: logs of these are long. */
export type StoredEvent = readonly [position: number, stream: string, revision: number, id: string, of: number];

export type Inspection =
  | { readonly events: StoredEvent[]; readonly rows: [string, number][]; readonly verification: Checked }
  | { readonly failure: string };

declare global {
  interface Window {
    /** Given by the outside. */
    readonly acknowledge: (acknowledged: readonly Acknowledged[]) => Promise<void>;
    readonly torture: {
      /** Ends the lanes; resolves when every open command is answered. */
      readonly stop: () => Promise<void>;
      readonly terminate: () => void;
      readonly state: () => {
        readonly phase: string;
        readonly failure?: string;
        readonly head: number;
        readonly life: number;
        /** Types of the failures that commands of the lanes were answered with. */
        readonly refusals: readonly string[];
      };
      /** One command of so many events, none of which compresses. Resolves with `saved` or the type of the failure. */
      readonly send: (events: number, bytesEach: number) => Promise<string>;
      readonly readRows: () => Promise<[string, number][]>;
      readonly inspect: () => Promise<Inspection>;
    };
  }
}

let worker: Worker | undefined;
let workers = 0;

const client = createClient(
  torture,
  () => {
    workers += 1;
    worker = new Worker(new URL('./torture.worker.ts', import.meta.url), { type: 'module' });
    return worker;
  },
  { askToPersist: false },
);

const lanes: Promise<void>[] = [];
const refusals: string[] = [];
let isStopped = false;

/** One lane sends the next command when the last one is answered; lanes share streams, so that they share commits. */
async function runLane(lane: number): Promise<void> {
  for (let turn = 0; !isStopped; turn += 1) {
    const answer = await keep(await count(lane, turn));
    if (answer === 'saved') continue;
    refusals.push(answer);
    return;
  }
}

function count(lane: number, turn: number): Promise<Receipt> {
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

/** Reports an answer that says saved. */
function keep(receipt: Receipt): string {
  if (receipt.status !== 'saved') return receipt.status === 'failed' ? receipt.failure.type : receipt.status;
  const { commandId, position, events } = receipt;
  void report({ commandId, position, events, life: life(), at: Date.now() });
  return 'saved';
}

function life(): number {
  return performance.timeOrigin + workers / 1000;
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

async function readLog(): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const { position, stream, revision, id, data } of client.read()) {
    events.push([position, stream, revision, id, (data as { of: number }).of]);
  }
  return events;
}

async function readRows(): Promise<[string, number][]> {
  const mirror = client.mirror(Tallies);
  await mirror.ready;
  return [...mirror.rows].map(([key, { count }]) => [key, count]);
}

/** The type of the failure that an error carries, or that the status has been put down to since. */
function failureOf(error: unknown): string | undefined {
  const carried = error instanceof Error && 'failure' in error ? (error.failure as { type: string }) : undefined;
  return (carried ?? client.status.getState().failure)?.type;
}

Object.assign(window, {
  torture: {
    stop: async () => {
      isStopped = true;
      await Promise.all(lanes);
      // What was answered last must have been told, too.
      while (isReporting) await new Promise((resolve) => setTimeout(resolve, 1));
    },
    terminate: () => worker?.terminate(),
    state: () => {
      const { phase, failure, saved } = client.status.getState();
      return {
        phase,
        head: saved,
        life: life(),
        refusals,
        ...(failure === undefined ? {} : { failure: failure.type }),
      };
    },
    send: async (events, bytesEach) => {
      const bytes = Array.from(crypto.getRandomValues(new Uint8Array(bytesEach / 2)));
      const text = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
      return keep(await client.execute(Tally, 'large', 'count', { times: events, of: events, text }));
    },
    readRows,
    inspect: async () => {
      try {
        // First: a log that is known to be broken need not be readable.
        const verification = await client.verify();
        return { verification, events: await readLog(), rows: await readRows() };
      } catch (error) {
        const failure = failureOf(error);
        if (failure === undefined) throw error;
        return { failure };
      }
    },
  } satisfies Window['torture'],
});

const wanted = Number(new URLSearchParams(location.search).get('lanes') ?? 0);
for (let lane = 0; lane < wanted; lane += 1) lanes.push(runLane(lane));
