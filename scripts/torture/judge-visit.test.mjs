import { describe, expect, it } from 'vitest';
import { judgeVisit } from './judge-visit.mjs';

const none = { 'accepted empty': 0, undetected: 0, untyped: 0 };
const ready = { phase: 'ready' };
const acknowledged = new Map([['c1', { commandId: 'c1', position: 1, events: 1 }]]);
const complete = { events: [[1, 'tally-a', 0, 'c1.0', 1]], rows: [['a', 1]], verification: { status: 'verified' } };
const empty = { events: [], rows: [], verification: { status: 'verified' } };

describe('the judgement of a visit to a damaged log', () => {
  it('accepts a log that is complete', () => {
    expect(judgeVisit(ready, complete, acknowledged)).toMatchObject(none);
  });

  it('accepts a refusal with a type, before or while reading', () => {
    expect(judgeVisit({ phase: 'failed', failure: 'storage.reset' }, {}, acknowledged)).toMatchObject(none);
    expect(judgeVisit(ready, { failure: 'storage.failed' }, acknowledged)).toMatchObject(none);
  });

  it('accepts that a log is found broken, however little can be read', () => {
    expect(judgeVisit(ready, { ...empty, verification: { status: 'broken' } }, acknowledged)).toMatchObject(none);
  });

  it('finds an empty log that is taken for a new one', () => {
    expect(judgeVisit(ready, empty, acknowledged)).toMatchObject({ ...none, 'accepted empty': 1 });
  });

  it('finds a shorter log that nobody noticed', () => {
    const two = new Map([...acknowledged, ['c2', { commandId: 'c2', position: 2, events: 1 }]]);
    expect(judgeVisit(ready, complete, two)).toMatchObject({ ...none, undetected: 1 });
  });

  it('finds an answer without a type', () => {
    expect(judgeVisit(ready, { error: new Error('undefined is not iterable') }, acknowledged)).toMatchObject({
      ...none,
      untyped: 1,
    });
    expect(judgeVisit({ phase: 'failed', failure: undefined }, {}, acknowledged)).toMatchObject({
      ...none,
      untyped: 1,
    });
  });
});
