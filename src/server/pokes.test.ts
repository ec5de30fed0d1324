import { expect, it, onTestFinished, vi } from 'vitest';
import type { SyncPoke } from '../protocol/sync-messages.ts';
import { nextTurn } from './next-turn.ts';
import { createPokes } from './pokes.ts';

function setUp(readPoke: () => Promise<SyncPoke | undefined> = async () => undefined) {
  const pokes = createPokes(readPoke);
  onTestFinished(() => pokes.close());
  return {
    send: (poke: SyncPoke) => pokes.send('log-1', poke),
    /** What a stream hears, that begins with this. */
    open: (first: SyncPoke) => {
      const heard: SyncPoke[] = [];
      void pokes
        .open('log-1', first, () => undefined)
        .pipeTo(
          new WritableStream({
            write: (bytes: Uint8Array) => {
              const [, data = ''] = /data: (.*)\n/.exec(new TextDecoder().decode(bytes)) ?? [];
              heard.push(JSON.parse(data));
            },
          }),
        );
      return heard;
    },
  };
}

const at = (g: number, epoch = 'e') => ({ epoch, g });

it('a poke reaches every stream of its log', async () => {
  const { send, open } = setUp();
  const [first, second] = [open(at(0)), open(at(0))];
  send(at(1));
  await nextTurn();
  await nextTurn();
  expect([first, second]).toEqual([
    [at(0), at(1)],
    [at(0), at(1)],
  ]);
});

it('a stream that was long in opening hears of the newer head, and so does everybody else', async () => {
  const { send, open } = setUp();
  const first = open(at(4));
  send(at(5));
  const second = open(at(4));
  await nextTurn();
  await nextTurn();
  expect(first).toEqual([at(4), at(5)]);
  expect(second).toEqual([at(5), at(5)]);
});

it('a stream that was long in opening hears of the newer head, also where it is the first of its log', async () => {
  const { send, open } = setUp();
  send(at(5));
  const heard = open(at(4));
  await nextTurn();
  await nextTurn();
  expect(heard).toEqual([at(5)]);
});

it('a look that was long on its way hides no newer head', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  let answer = (_poke: SyncPoke) => {};
  const { send, open } = setUp(() => new Promise((resolve) => (answer = resolve)));
  const heard = open(at(4));
  await vi.advanceTimersByTimeAsync(25_000);
  send(at(5));
  answer(at(4));
  await nextTurn();
  await nextTurn();
  expect(heard).toEqual([at(4), at(5)]);
});

it('the head of another epoch is told though it is a lower one', async () => {
  const { send, open } = setUp();
  const first = open(at(4));
  const second = open(at(1, 'later'));
  send(at(2, 'later'));
  await nextTurn();
  await nextTurn();
  expect(first).toEqual([at(4), at(2, 'later')]);
  expect(second).toEqual([at(1, 'later'), at(2, 'later')]);
});
