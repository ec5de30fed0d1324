import { hash as sha256 } from '@stablelib/sha256';
import { bytesToHex } from '../protocol/hex.ts';

/** SHA-256 of a text's UTF-8 bytes, as 64 hexadecimal digits. */
export function textDigest(text: string): string {
  return bytesToHex(sha256(new TextEncoder().encode(text)));
}
