import { describe, expect, it } from 'vitest';
import { editRope, emptyRope, ropeToText } from './rope.ts';

describe('a rope', () => {
  it('takes what is typed', () => {
    const rope = [...'varve'].reduce((text, letter, index) => editRope(text, index, 0, letter), emptyRope);
    expect(ropeToText(rope)).toBe('varve');
  });

  it('leaves the text before an edit as it was', () => {
    const before = editRope(emptyRope, 0, 0, 'layer');
    editRope(before, 0, 5, '');
    expect(ropeToText(before)).toBe('layer');
  });

  it('ends in the same text as a string after any edits', () => {
    let state = 7;
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (state >> 8) % below;
    };
    let text = '';
    let rope = emptyRope;
    for (let turn = 0; turn < 3_000; turn += 1) {
      const at = random(text.length + 1);
      // Long ones now and then, so that edits cross pieces and empty some.
      const deleted = Math.min(text.length - at, random(turn % 50 === 0 ? 3_000 : 4));
      const inserted = String.fromCharCode(97 + random(26)).repeat(turn % 20 === 0 ? random(2_500) : random(4));
      text = text.slice(0, at) + inserted + text.slice(at + deleted);
      rope = editRope(rope, at, deleted, inserted);
    }
    expect(ropeToText(rope)).toBe(text);
    expect(rope.every((piece) => piece.length <= 1_024)).toBe(true);
  });
});
