import type { Issue } from './schema.ts';

/** The domain's "no": a value, not an error. Plain data; it crosses the worker boundary unchanged. */
export interface Rejection<Code extends string = string, Details = unknown> {
  readonly kind: 'rejection';
  readonly code: Code;
  readonly details: Details;
}

/** What every command may answer where its input does not fit its schema. */
export type InvalidInput = Rejection<'invalid-input', { readonly issues: readonly Issue[] }>;

/**
 * Says no from `decide`.
 *
 * ### Example
 * ```ts
 * amount > state.balance ? reject('insufficient-funds', { balance: state.balance }) : AccountEvents.Withdrawn({ amount })
 * ```
 */
export function reject<const Code extends string>(code: Code): Rejection<Code, undefined>;
export function reject<const Code extends string, Details>(code: Code, details: Details): Rejection<Code, Details>;
export function reject(code: string, details?: unknown): Rejection {
  return { kind: 'rejection', code, details };
}
