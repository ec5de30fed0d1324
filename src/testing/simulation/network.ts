import type { NetworkFaults } from './plan.ts';
import type { Scheduler } from './scheduler.ts';

/** One end of the network: a tab of a device. */
export interface Link {
  readonly random: () => number;
  readonly isOnline: () => boolean;
}

export interface Network {
  /** As `fetch`: rejects where nothing comes back, if that is noticed at all. */
  send(link: Link, address: string, init: RequestInit): Promise<Response>;
  /** Messages that were delivered, both ways. */
  readonly messages: number;
  /** From now on all that is sent arrives, once and soon. */
  calm(): void;
}

const calmFaults: NetworkFaults = { lost: 0, doubled: 0, late: 0, delayMs: 20 };

/** Late messages come after a client has given up waiting for them, and after others that were sent later. */
const lateMs = 90_000;

export function createNetwork({
  scheduler,
  faults: chaos,
  handle,
}: {
  readonly scheduler: Scheduler;
  readonly faults: NetworkFaults;
  /** The server, whichever there is when a request arrives. */
  readonly handle: (request: Request) => Promise<Response>;
}): Network {
  let faults = chaos;
  let messages = 0;

  function delay(random: () => number): number {
    const isLate = random() < faults.late;
    return 1 + Math.floor(random() * (isLate ? lateMs : faults.delayMs));
  }

  /** A stream of hints: some are lost, and it breaks where the network does. */
  function relay(response: Response, { random, isOnline }: Link): Response {
    const reader = response.body?.getReader();
    const pump = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      for (;;) {
        const { value, done } = (await reader?.read()) ?? { done: true };
        if (done) return controller.close();
        if (!isOnline()) {
          await reader?.cancel();
          return controller.error(new TypeError('network error'));
        }
        if (random() >= faults.lost) controller.enqueue(value);
      }
    };
    const body = new ReadableStream({
      start: (controller) => void pump(controller).catch((error) => controller.error(error)),
      cancel: () => reader?.cancel(),
    });
    return new Response(body, response);
  }

  return {
    get messages() {
      return messages;
    },
    calm: () => {
      faults = calmFaults;
    },
    send: (link, address, init) =>
      new Promise((resolve, reject) => {
        const { random, isOnline } = link;
        const { signal, ...message } = init;
        const fail = () => reject(new TypeError('fetch failed'));
        signal?.addEventListener('abort', () => reject(signal.reason));
        const lose = () => {
          // Sometimes nobody says that nothing will come.
          if (random() < 0.5) scheduler.callLater(fail, delay(random));
        };
        async function deliver(): Promise<void> {
          if (!isOnline()) return lose();
          messages += 1;
          const response = await handle(new Request(address, message));
          if (random() < faults.lost) return lose();
          scheduler.callLater(() => {
            if (!isOnline()) return lose();
            messages += 1;
            resolve(address.includes('/events') ? relay(response, link) : response);
          }, delay(random));
        }
        if (!isOnline()) return void scheduler.callLater(fail, 1);
        if (random() < faults.lost) lose();
        else scheduler.callLater(() => void deliver(), delay(random));
        if (random() < faults.doubled) scheduler.callLater(() => void deliver(), delay(random));
      }),
  };
}
