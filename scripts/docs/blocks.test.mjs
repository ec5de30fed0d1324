import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { applyBlock, readBlocks, readHeading } from './blocks.mjs';

const artifacts = fileURLToPath(new URL('../../.artifacts', import.meta.url));
mkdirSync(artifacts, { recursive: true });
const folder = mkdtempSync(join(artifacts, 'blocks-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Does what the blocks of a page say. @returns the file `a.ts` */
function apply(page) {
  for (const block of readBlocks('page.md', page)) applyBlock(folder, readHeading(block), block.where);
  return readFileSync(join(folder, 'a.ts'), 'utf8');
}

const ts = (...lines) => ['```ts', ...lines, '```', ''].join('\n');

describe('a block of the documentation', () => {
  it('is a file, whole', () => {
    expect(apply(ts('// a.ts', 'const a = 1;'))).toBe('const a = 1;\n');
    expect(apply(ts('// a.ts', 'const a = 2;'))).toBe('const a = 2;\n');
  });

  it('is added to the end of a file', () => {
    expect(apply(ts('// a.ts', 'const a = 1;') + ts('// a.ts, at the end', 'const b = 2;'))).toBe(
      'const a = 1;\n\nconst b = 2;\n',
    );
  });

  it('takes the place of what begins so, with all that is indented below', () => {
    const whole = ts('// a.ts', 'const a = {', '  b: {', '', '    c: 1,', '  },', '  d: 2,', '};');
    expect(apply(whole + ts('// a.ts, in the place of: b', '  b: 3,'))).toBe('const a = {\n  b: 3,\n  d: 2,\n};\n');
    expect(apply(whole + ts('// a.ts, in the place of: d', '  d: 3,', '  e: 4,'))).toContain('  d: 3,\n  e: 4,\n};');
    expect(() => apply(whole + ts('// a.ts, in the place of: x', '  x: 3,'))).toThrow(
      'has 0 lines that begin with "x"',
    );
  });

  it('may stand in its file already, at any depth', () => {
    const whole = ts('// a.ts', 'if (a) {', '  b();', '}');
    expect(apply(whole + ts('// a.ts, as it is', 'b();'))).toContain('b();');
    expect(() => apply(whole + ts('// a.ts, as it is', 'c();'))).toThrow('does not stand in a.ts');
  });

  it('is refused where it does not say what it is, or where the file is missing', () => {
    expect(() => apply(ts('const a = 1;'))).toThrow('page.md:1: the first line must name the file');
    expect(() => apply(ts('// the file a.ts'))).toThrow('must name the file');
    expect(() => apply(ts('// a.ts, somewhere'))).toThrow('must name the file');
    expect(() => apply(ts('// none.ts, at the end', 'b();'))).toThrow('there is no none.ts yet');
    expect(() => apply('```ts\n// a.ts\n')).toThrow('is not closed');
  });

  it('may be what the compiler refuses', () => {
    const [block] = readBlocks('page.md', ts('// does not compile: Type X', 'a;'));
    expect(readHeading(block)).toMatchObject({ kind: 'refused', message: 'Type X', body: 'a;\n' });
  });
});
