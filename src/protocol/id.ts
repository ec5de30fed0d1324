/** Whether a text is an id that stands in addresses and keys as it is: that of a log, and of a client. */
export function isId(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,128}$/.test(text);
}
