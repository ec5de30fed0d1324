/** 128 random bits as 32 hexadecimal digits: ids that page and worker mint for each other to recognise. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
