import { checkLog } from './check.mjs';

/** How an app may answer for a log that is gone or damaged. */
export const typedRefusals = Object.freeze(new Set(['storage.reset', 'storage.unavailable', 'storage.failed']));

/**
 * Judges a visit to a log that was taken away or damaged: it must be refused with a type, found broken, or complete.
 *
 * `state` is what the page says of itself; `found` what it read: `events`, `rows` and `verification`, or the `failure`
 * that kept it from reading, or the `error` that it threw instead.
 */
export function judgeVisit({ phase, failure }, found, acknowledged) {
  if (phase !== 'ready') return refused(failure);
  if (found.error !== undefined) return verdict({ untyped: 1 }, found.error.message.split('\n')[0]);
  if (found.failure !== undefined) return refused(found.failure);
  const { events, rows, verification } = found;
  const { status } = verification;
  if (status === 'broken' || status === 'failed') return verdict({}, `found ${status}`);
  const problems = Object.entries(checkLog(events, rows, acknowledged)).filter(([, count]) => count > 0);
  if (problems.length === 0) return verdict({}, `complete, ${status}`);
  const text = problems.map(([name, count]) => `${count} ${name}`).join(', ');
  const problem = events.length === 0 ? 'accepted empty' : 'undetected';
  return verdict({ [problem]: 1 }, `${events.length} events, ${status}, ${text}`);
}

function refused(failure) {
  return verdict(typedRefusals.has(failure) ? {} : { untyped: 1 }, `refused with ${failure}`);
}

function verdict(problems, text) {
  return { 'accepted empty': 0, undetected: 0, untyped: 0, ...problems, text };
}
