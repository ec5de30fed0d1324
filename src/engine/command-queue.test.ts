import { describe, expect, it } from 'vitest';
import type { Saved } from '../core/receipt.ts';
import type { ExecuteRequest } from '../protocol/engine-api.ts';
import { createCommandQueue, type Outcome } from './command-queue.ts';

const toReceipt = (commandId: string): Saved => ({
  status: 'saved',
  commandId,
  stream: 'a-1',
  revision: 0,
  position: 1,
  events: 1,
});
const toOutcomes = (requests: readonly ExecuteRequest[]): readonly Outcome[] =>
  requests.map(({ commandId }) => ({ receipt: toReceipt(commandId) }));

describe('the command queue', () => {
  it('runs together what waits while a group runs, up to 512 commands; a decision counts as one', async () => {
    const groups: number[] = [];
    const enqueue = createCommandQueue(async (requests) => {
      groups.push(requests.length);
      return toOutcomes(requests);
    });
    const decision = { name: 'takeSeat', input: {} };
    const sent = Array.from({ length: 700 }, (_, index) => enqueue({ commandId: `c${index}`, commands: [], decision }));
    await Promise.all(sent);
    expect(groups).toEqual([1, 512, 187]);
  });

  it('answers each request of a group that throws with that, and goes on', async () => {
    let fails = true;
    const enqueue = createCommandQueue(async (requests) => {
      if (fails) throw new Error('no ground');
      return toOutcomes(requests);
    });
    const sent = ['c1', 'c2', 'c3'].map((commandId) => enqueue({ commandId, commands: [] }));
    for (const each of sent) await expect(each).rejects.toThrow('no ground');
    fails = false;
    expect(await enqueue({ commandId: 'c4', commands: [] })).toEqual(toReceipt('c4'));
  });
});
