/** Two digits per byte. */
export function bytesToHex(bytes: Uint8Array): string {
  const native = bytes as Uint8Array & { readonly toHex?: () => string };
  // In every browser since 2025, and ten times as fast.
  if (native.toHex !== undefined) return native.toHex();
  let text = '';
  for (const byte of bytes) text += hexOfByte[byte];
  return text;
}

/** The bytes of an even number of hexadecimal digits, as `bytesToHex` writes them. */
export function hexToBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = 16 * digitAt(text, 2 * at) + digitAt(text, 2 * at + 1);
  }
  return bytes;
}

/** The digits are `0` to `9` and `a` to `f`. */
function digitAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit < 0x3a ? unit - 0x30 : unit - 0x57;
}

const hexOfByte: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
