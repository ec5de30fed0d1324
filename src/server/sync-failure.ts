import type { SyncError, SyncErrorCode } from '../protocol/sync-messages.ts';

/** Ends a request with an error of the protocol. */
export class SyncFailure extends Error {
  readonly reply: SyncError;

  constructor(error: SyncErrorCode, text: string, more: Omit<SyncError, 'error' | 'text'> = {}) {
    super(text);
    this.reply = { error, text, ...more };
  }
}

/** What an operator needs of an error that is not the protocol's. PostgreSQL's are all named `error`, and have a code. */
export function describeError(error: unknown): string {
  const { name, code, message } = Object(error) as { readonly [field: string]: unknown };
  return `${String(name)} ${String(code ?? '')} ${String(message).slice(0, 200)}`;
}

export const statusOfError: { readonly [code in SyncErrorCode]: number } = {
  BAD_REQUEST: 400,
  AUTH: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  UNKNOWN_LOG: 404,
  METHOD_NOT_ALLOWED: 405,
  DIVERGED: 409,
  APP_MISMATCH: 409,
  TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  UPGRADE_REQUIRED: 426,
  THROTTLED: 429,
  FAILED: 500,
  UNAVAILABLE: 503,
};
