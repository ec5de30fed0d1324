import { expect, it } from 'vitest';
import { createMirror } from './mirror.ts';

const snapshot = {
  type: 'snapshot',
  projection: 'rows',
  rows: [],
  isBehind: false,
  isFirst: true,
  isLast: true,
} as const;

/** A mirror whose rows show position 9. */
function createShown() {
  const feed = createMirror('rows', () => undefined);
  feed.applySnapshot({ ...snapshot, position: 9 });
  return feed;
}

/** Whether it has settled by now. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setTimeout(resolve, 0, false))]);
}

it('waits for a position until the rows show it', async () => {
  const { mirror, applyPatch } = createShown();
  const reached = mirror.whenReached(10);
  expect(await isSettled(reached)).toBe(false);
  applyPatch({ type: 'patch', from: 9, to: 10, changes: { rows: [] } });
  expect(await isSettled(reached)).toBe(true);
});

it('waits no longer for a position of an order, or of a log, that is no more', async () => {
  const { mirror, applyPatch, applySnapshot, restart } = createShown();
  const withdrawn = mirror.whenReached(10);
  applyPatch({ type: 'patch', from: 9, to: 8, changes: { rows: [] }, isRebase: true });
  expect(await isSettled(withdrawn)).toBe(true);
  const beforeSnapshot = mirror.whenReached(10);
  applySnapshot({ ...snapshot, position: 7 });
  expect(await isSettled(beforeSnapshot)).toBe(true);
  const replaced = mirror.whenReached(10);
  restart();
  expect(await isSettled(replaced)).toBe(true);
});

it('waits no longer where a new order takes its rows away for a while', async () => {
  const { mirror, applyPatch, applySnapshot } = createShown();
  const reached = mirror.whenReached(12);
  // Its rows could not be taken back: they are built anew, and come as a whole.
  applyPatch({ type: 'patch', from: 9, to: 8, changes: { others: [] }, isRebase: true });
  expect(await isSettled(reached)).toBe(false);
  // Who comes now waits for a position of the new order.
  const later = mirror.whenReached(12);
  applySnapshot({ ...snapshot, position: 11 });
  expect([await isSettled(reached), await isSettled(later)]).toEqual([true, false]);
});
