import type { Contestant } from './contestant.ts';
import { addEvents, createLedgerState, type LedgerState } from './ledger-state.ts';
import { createLedgerViewStore } from './ledger-view-store.ts';
import type { StoreCall, StoreMessage, StoreRequest } from './store-protocol.ts';

/** The page's side of a hand-written worker. */
export function createWorkerContestant(name: 'raw' | 'limit', worker: Worker): Contestant {
  const view = createLedgerViewStore();
  const open = new Map<number, { readonly resolve: () => void; readonly reject: (error: Error) => void }>();
  let state: LedgerState | undefined;
  let lastId = 0;

  worker.onmessage = ({ data: message }: MessageEvent<StoreMessage>) => {
    switch (message.type) {
      case 'state':
        state = message.state;
        view.show(state);
        break;
      case 'appended':
        state ??= createLedgerState();
        addEvents(state, message.events);
        view.show(state);
        break;
      case 'answer': {
        const call = open.get(message.id);
        open.delete(message.id);
        if (message.error === undefined) call?.resolve();
        else call?.reject(new Error(message.error));
      }
    }
  };

  function send(call: StoreCall): Promise<void> {
    lastId += 1;
    const request: StoreRequest = { id: lastId, call };
    return new Promise((resolve, reject) => {
      open.set(request.id, { resolve, reject });
      worker.postMessage(request);
    });
  }

  return {
    name,
    hooks: view.hooks,
    balances: view.balances,
    append: (booking) => send({ name: 'append', booking }),
    appendAll: (bookings) => send({ name: 'appendAll', bookings }),
    importFile: (file) => send({ name: 'importFile', file }),
    rebuild: () => send({ name: 'rebuild' }),
    // Columns without an index know nothing of one stream.
    loadStreams:
      name === 'raw'
        ? (accounts) => send({ name: 'loadStreams', streams: accounts.map((account) => `account-${account}`) })
        : undefined,
  };
}
