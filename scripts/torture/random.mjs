/**
 * mulberry32 from a text: the same disturbances for the same seed, as far as a browser's timing allows.
 *
 * Every round draws from its own, so that a round does not depend on how many were drawn before it.
 */
export function createRandom(text) {
  let state = [...text].reduce((hash, char) => Math.imul(hash ^ char.charCodeAt(0), 16777619), 2166136261);
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    /** From `low` to below `high`. */
    between: (low, high) => low + random() * (high - low),
    /** A whole number from `low` to `high`, both included. */
    whole: (low, high) => low + Math.floor(random() * (high - low + 1)),
    pick: (list) => list[Math.floor(random() * list.length)],
  };
}
