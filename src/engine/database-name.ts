import type { App } from '../core/app.ts';

/** A log of another device has a database of its own: this device's own log stays as it is. */
export function databaseName({ name }: App, logId: string | undefined): string {
  return logId === undefined ? `varve-${name}` : `varve-${name}-${logId}`;
}
