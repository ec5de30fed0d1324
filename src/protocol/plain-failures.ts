import { type Failure, FailureError } from '../core/errors.ts';

/**
 * What is thrown crosses from the worker to the page as data: Comlink keeps an error's message and drops the rest, a
 * plain value it keeps whole. So failures are thrown as they are, and become errors again on the page.
 */
export function throwPlainFailures<Api extends object>(api: Api): Api {
  return new Proxy(api, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]): Promise<unknown> => {
        try {
          return await member.apply(target, args);
        } catch (error) {
          throw error instanceof FailureError ? error.failure : error;
        }
      };
    },
  });
}

/** What `throwPlainFailures` threw, as an error; anything else as it is. */
export function failureToError(thrown: unknown): unknown {
  return isFailure(thrown) ? new FailureError(thrown) : thrown;
}

function isFailure(value: unknown): value is Failure {
  if (typeof value !== 'object' || value === null || value instanceof Error) return false;
  const { type, text } = value as Partial<Failure>;
  return typeof type === 'string' && typeof text === 'string';
}
