import { describe, expect, it } from 'vitest';
import { bytesToHex, hexToBytes } from './hex.ts';

describe('hexadecimal', () => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);

  it('writes and reads every byte', () => {
    const text = bytesToHex(all);
    expect(text).toBe(Buffer.from(all).toString('hex'));
    expect(hexToBytes(text)).toEqual(all);
    expect(bytesToHex(new Uint8Array())).toBe('');
  });

  it('uses what the browser has', () => {
    const native = Object.assign(new Uint8Array([1]), { toHex: () => 'native' });
    expect(bytesToHex(native)).toBe('native');
  });
});
