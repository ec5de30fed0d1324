import type { LedgerEvent } from '../ledger-data.ts';
import type { LedgerStore } from './ledger-store.ts';
import type { StoreCall, StoreMessage, StoreRequest } from './store-protocol.ts';

/** Runs a hand-written store in this worker, and tells the page and the other tabs what was appended. */
export function hostStore(name: string, opening: Promise<LedgerStore>): void {
  const otherTabs = new BroadcastChannel(name);
  otherTabs.onmessage = ({ data }: MessageEvent<readonly LedgerEvent[]>) => post({ type: 'appended', events: data });

  const ready = opening.then(async (store) => {
    post({ type: 'state', state: await store.open() });
    return store;
  });

  async function answer(call: StoreCall): Promise<void> {
    const store = await ready;
    switch (call.name) {
      case 'append':
        return tell([await store.append(call.booking)]);
      case 'appendAll':
        return tell(await store.appendAll(call.bookings));
      case 'importFile':
        return post({ type: 'state', state: await store.importFile(call.file) });
      case 'rebuild':
        return post({ type: 'state', state: await store.rebuild() });
      case 'loadStreams':
        await store.loadStreams?.(call.streams);
    }
  }

  function tell(events: readonly LedgerEvent[]): void {
    post({ type: 'appended', events });
    otherTabs.postMessage(events);
  }

  addEventListener('message', ({ data: { id, call } }: MessageEvent<StoreRequest>) => {
    answer(call).then(
      () => post({ type: 'answer', id }),
      (error: unknown) => post({ type: 'answer', id, error: String(error) }),
    );
  });
}

function post(message: StoreMessage): void {
  self.postMessage(message);
}
