import { describe, expect, it } from 'vitest';
import { checkLog } from './check.mjs';

const none = { lost: 0, doubled: 0, torn: 0, gaps: 0, 'wrong rows': 0 };
const log = () => [
  [1, 'tally-a', 0, 'c1.0', 2],
  [2, 'tally-a', 1, 'c1.1', 2],
  [3, 'tally-b', 0, 'c2.0', 1],
];
const rows = [
  ['a', 2],
  ['b', 1],
];
const acknowledged = new Map([['c1', { commandId: 'c1', position: 2, events: 2 }]]);

// A check that cannot fail is worse than none: each fault that it is there for, planted.
describe('the check of a tortured log', () => {
  it('finds nothing in a sound log', () => {
    expect(checkLog(log(), rows, acknowledged)).toEqual(none);
  });

  it('finds a lost commit', () => {
    const lost = new Map([...acknowledged, ['c3', { commandId: 'c3', position: 4, events: 1 }]]);
    expect(checkLog(log(), rows, lost)).toEqual({ ...none, lost: 1 });
  });

  it('finds a torn commit', () => {
    const torn = [log()[0], [2, 'tally-b', 0, 'c2.0', 1]];
    const tornRows = [
      ['a', 1],
      ['b', 1],
    ];
    expect(checkLog(torn, tornRows, new Map())).toEqual({ ...none, torn: 1 });
  });

  it('finds a doubled commit', () => {
    const doubled = [...log(), [4, 'tally-b', 1, 'c2.1', 1]];
    const doubledRows = [
      ['a', 2],
      ['b', 2],
    ];
    expect(checkLog(doubled, doubledRows, acknowledged)).toEqual({ ...none, doubled: 1 });
  });

  it('finds gaps in positions and in revisions', () => {
    const gap = log().map(([position, ...rest]) => [position === 3 ? 4 : position, ...rest]);
    expect(checkLog(gap, rows, acknowledged)).toEqual({ ...none, gaps: 1 });
    const revisionGap = log().map(([position, stream, revision, ...rest]) => [
      position,
      stream,
      stream === 'tally-b' ? 1 : revision,
      ...rest,
    ]);
    expect(checkLog(revisionGap, rows, acknowledged)).toEqual({ ...none, gaps: 1 });
  });

  it('finds a wrong row', () => {
    expect(checkLog(log(), [['a', 2]], acknowledged)).toEqual({ ...none, 'wrong rows': 1 });
  });
});
