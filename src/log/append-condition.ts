import { FailureError } from '../core/errors.ts';

/** A stream is not at the revision that the append expects. */
export function streamConflict(stream: string, expected: number, actual: number): FailureError {
  return new FailureError({
    type: 'stream.conflict',
    text: `The stream "${stream}" is at revision ${actual}, and the append expected ${expected}. Somebody else changed it meanwhile. Nothing was saved: read it again and decide on what is there now.`,
    stream,
    expected,
    actual,
  });
}

/** An event that the decision has not seen matches the condition of the append. */
export function appendConflict(after: number, position: number): FailureError {
  return new FailureError({
    type: 'append.conflict',
    text: `The event at position ${position} matches the condition of the append, which had seen the log up to position ${after}. Somebody else stored it meanwhile. Nothing was saved: read again and decide on what is there now.`,
    position,
  });
}
