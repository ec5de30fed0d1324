import { type App, command } from 'varve';
import { type Client, type ClientOptions, createClient } from 'varve/client';
import { useEvents, useProjection, useRow } from 'varve/react';
import { Account, Balances, ledger } from '../ledger.ts';
import type { Booking, LedgerEvent } from '../ledger-data.ts';
import type { Contestant } from './contestant.ts';
import { feedLength } from './ledger-state.ts';
import { openLogTools } from './log-tools.ts';

const startWorker = () => new Worker(new URL('./varve.worker.ts', import.meta.url), { type: 'module' });

/** Varve as an app uses it: a worker, hooks, and `execute` with its default durability. */
export function createVarveContestant(
  app: App = ledger,
  start: () => Worker = startWorker,
  options: ClientOptions = {},
): { readonly contestant: Contestant; readonly client: Client } {
  const client = createClient(app, start, { askToPersist: false, ...options });
  const balances = client.mirror(Balances);
  const { importFile, exportFile, rebuild } = openLogTools(client);
  const contestant: Contestant = {
    name: 'varve',
    hooks: {
      useTotal: () => useProjection(Balances, sumBalances),
      useBalance: (account) => useRow(Balances, account)?.balance,
      // Events of one type of payload: the app has no others.
      useNewest: () => useEvents({ limit: feedLength }) as readonly LedgerEvent[] | undefined,
    },
    balances: () => new Map([...balances.rows].map(([account, { balance }]) => [account, balance])),
    append: async (booking) =>
      requireSaved(await client.execute([bookingToCommand(booking)], { commandId: booking.id })),
    appendAll: async (bookings) => requireSaved(await client.execute(bookings.map(bookingToCommand))),
    importFile,
    exportFile,
    rebuild,
    loadStreams: async (accounts) =>
      requireSaved(await client.execute(accounts.map((account) => command(Account, account, 'review', {})))),
  };
  return { contestant, client };
}

/** Stores one commit per booking, as many at a time as the client sends: how a log comes to be where no file can be read. */
export async function seedVarve(client: Client, bookings: Iterable<Booking>): Promise<void> {
  let open: Promise<void>[] = [];
  for (const booking of bookings) {
    const saving = client.execute([bookingToCommand(booking)], { commandId: booking.id, durability: 'relaxed' });
    open.push(saving.then(requireSaved));
    if (open.length < 256) continue;
    await Promise.all(open);
    open = [];
  }
  await Promise.all(open);
}

function bookingToCommand({ account, type, amount, note }: Booking) {
  return command(Account, account, type === 'Deposited' ? 'deposit' : 'withdraw', { amount, note });
}

function requireSaved(receipt: { readonly status: string }): void {
  if (receipt.status !== 'saved') throw new Error(`A command was not saved: ${JSON.stringify(receipt)}`);
}

function sumBalances(rows: ReadonlyMap<string, { readonly balance: number }>): number {
  let total = 0;
  for (const { balance } of rows.values()) total += balance;
  return total;
}
