/** What tabs tell each other over a BroadcastChannel. A hint only: whoever misses one reads the log a little later. */
export interface TabMessage {
  readonly type: 'head';
  readonly logId: string;
  readonly head: number;
}

export function isTabMessage(value: unknown): value is TabMessage {
  if (typeof value !== 'object' || value === null) return false;
  const { type, logId, head } = value as Record<string, unknown>;
  return type === 'head' && typeof logId === 'string' && typeof head === 'number';
}
