import { bytesToHex } from '../protocol/hex.ts';
import { sha256 } from '../protocol/sha256.ts';

/** SHA-256 of a text's UTF-8 bytes, as 64 hexadecimal digits. */
export function textDigest(text: string): string {
  return bytesToHex(sha256(new TextEncoder().encode(text)));
}
