import { expect, it } from 'vitest';
import { inTime } from './in-time.ts';

const late = () => new Error('late');
const after = (ms: number) => new Promise<string>((resolve) => setTimeout(resolve, ms, 'here'));

it('gives what comes in time, and throws where it does not', async () => {
  expect(await inTime('at once', 1_000, late)).toBe('at once');
  expect(await inTime(after(1), 1_000, late)).toBe('here');
  await expect(inTime(after(1_000), 1, late)).rejects.toThrow('late');
});

it('waits for ever where that is what is wished', async () => {
  expect(await inTime(after(20), Number.POSITIVE_INFINITY, late)).toBe('here');
});
