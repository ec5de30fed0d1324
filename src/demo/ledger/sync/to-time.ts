/** The time of day on this device: 09:05, or 09:05:30. */
export function toTime(ms: number, timeStyle: 'short' | 'medium'): string {
  // `hour12: false` would call the first hour 24.
  return new Date(ms).toLocaleTimeString('en', { hourCycle: 'h23', timeStyle });
}
