import type { IndexBlock } from './segment-index.ts';

/**
 * Says of most terms that no block holds them: a Bloom filter (Bloom 1970) with one bit for each term, whose place is the
 * term's own, for terms are hashes already. Without it a command id, which is new nearly always, is looked for in each of
 * the three hundred blocks of a million events: 0.13 ms for every command.
 */
export interface TermFilter {
  mayHold(term: number): boolean;
  /** Adds blocks. @returns false, and adds nothing, where the filter is full: make a new one. */
  add(blocks: readonly IndexBlock[]): boolean;
}

/** Bits for each term in a new filter, which is full at half of them. */
const bitsPerTerm = 16;

export function createTermFilter(blocks: readonly IndexBlock[]): TermFilter {
  const sizeBits = Math.max(16, Math.ceil(Math.log2(countTerms(blocks) * bitsPerTerm + 1)));
  // A term has 32 bits.
  const shift = 32 - Math.min(sizeBits, 31);
  const words = new Uint32Array(2 ** (32 - shift - 5));
  const most = (words.length * 32 * 2) / bitsPerTerm;
  let count = 0;
  const add = (added: readonly IndexBlock[]) => {
    const more = countTerms(added);
    if (count + more > most) return false;
    count += more;
    for (const { hashes } of added) {
      for (const hash of hashes) {
        const bit = hash >>> shift;
        words[bit >>> 5] = (words[bit >>> 5] ?? 0) | (1 << (bit & 31));
      }
    }
    return true;
  };
  add(blocks);
  return {
    mayHold: (term) => {
      const bit = term >>> shift;
      return ((words[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
    },
    add,
  };
}

function countTerms(blocks: readonly IndexBlock[]): number {
  return blocks.reduce((sum, { hashes }) => sum + hashes.length, 0);
}
