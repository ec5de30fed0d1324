// The ledger as it was once: what wrote `ledger-of-2024.ndjson`. Never changed; `later-ledger.ts` reads what it stored.
import { type Command, command, defineAggregate, defineApp, defineEvents, reject } from 'varve';
import { type Client, createClient } from 'varve/client';
import { createInProcessWorker, createMemoryEventLog } from 'varve/testing';
import * as z from 'zod';

const line = z.object({ crowns: z.number().positive(), day: z.string(), text: z.string().optional() });

const Events = defineEvents({
  Opened: z.object({ owner: z.string() }),
  PaidIn: line,
  Withdrawn: line,
  Archived: z.object({}),
});

const input = z.object({ crowns: z.number(), text: z.string().optional() });

const Account2024 = defineAggregate('account', {
  events: Events,
  initialState: () => ({ crowns: 0 }),
  evolve: {
    Opened: (state) => state,
    PaidIn: (state, { data }) => ({ crowns: state.crowns + data.crowns }),
    Withdrawn: (state, { data }) => ({ crowns: state.crowns - data.crowns }),
    Archived: (state) => state,
  },
  commands: {
    open: { input: z.object({ owner: z.string() }), decide: (input) => Events.Opened(input) },
    payIn: { input, decide: (input, _state, { now }) => Events.PaidIn({ ...input, day: toDay(now) }) },
    withdraw: {
      input,
      decide: (input, state, { now }) =>
        input.crowns > state.crowns ? reject('not-enough') : Events.Withdrawn({ ...input, day: toDay(now) }),
    },
    archive: { input: z.object({}), decide: () => Events.Archived({}) },
  },
});

const ledger2024 = defineApp({ name: 'ledger', aggregates: [Account2024], projections: [] });

/** What the ledger of that time stored, as it exported it: the same bytes each time. */
export async function writeHistory(): Promise<string> {
  let now = Date.UTC(2024, 1, 28);
  let ids = 0;
  const env = {
    now: () => {
      now += 9 * 60 * 60 * 1000;
      return now;
    },
    newId: () => {
      ids += 1;
      return `2024-${ids}`;
    },
  };
  const log = createMemoryEventLog({ logId: 'ledger-2024', client: 'tablet' });
  const client = createClient(ledger2024, () => createInProcessWorker({ app: ledger2024, log, env }));
  await happen(client);
  const text = await new Response(client.export()).text();
  await client.close();
  return text;
}

async function happen(client: Client): Promise<void> {
  const owners = { ada: 'Ada', ben: 'Ben', eve: 'Eve' };
  let sent = 0;
  const send = async (...commands: readonly Command[]) => {
    sent += 1;
    const receipt = await client.execute(commands, { commandId: `command-${sent}` });
    if (receipt.status !== 'saved') throw new Error(JSON.stringify(receipt));
  };
  for (const [id, owner] of Object.entries(owners)) await send(command(Account2024, id, 'open', { owner }));
  await send(command(Account2024, 'ada', 'payIn', { crowns: 1000, text: 'Salary' }));
  await send(command(Account2024, 'ada', 'withdraw', { crowns: 0.1 }));
  await send(
    command(Account2024, 'ada', 'withdraw', { crowns: 250.5, text: 'Rent' }),
    command(Account2024, 'ben', 'payIn', { crowns: 250.5, text: 'Rent' }),
  );
  await send(command(Account2024, 'ben', 'withdraw', { crowns: 19.99, text: 'Čaj ☕' }));
  await send(command(Account2024, 'eve', 'archive', {}));
}

function toDay(nowMs: number): string {
  const [year, month, day] = new Date(nowMs).toISOString().slice(0, 10).split('-');
  return `${Number(day)}.${Number(month)}.${year}`;
}
