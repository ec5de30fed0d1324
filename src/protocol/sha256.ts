import { SHA256 } from '@stablelib/sha256';

/** One for all: to make one takes as long as to hash the 90 bytes of a link, and a third as long as a commit. */
const hasher = new SHA256();

export function sha256(data: Uint8Array): Uint8Array {
  return hasher.reset().update(data).digest();
}
