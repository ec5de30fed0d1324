/** What happened in a run, in order: the same for the same seed. */
export interface Trace {
  note(write: () => string): void;
  /** Of all lines: tells two runs apart. */
  readonly hash: number;
  /** The newest of them, where they are kept. */
  readonly lines: readonly string[];
}

/** Keeps so many lines; hashing alone costs little. */
export function createTrace(keep = 0): Trace {
  let lines: string[] = [];
  // FNV-1a.
  let hash = 0x811c9dc5;
  return {
    note: (write) => {
      const line = write();
      for (let index = 0; index < line.length; index += 1) {
        hash = Math.imul(hash ^ line.charCodeAt(index), 0x01000193);
      }
      if (keep === 0) return;
      lines.push(line);
      if (lines.length > 2 * keep) lines = lines.slice(-keep);
    },
    get hash() {
      return hash >>> 0;
    },
    get lines() {
      return lines.slice(-keep);
    },
  };
}
