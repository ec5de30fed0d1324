/**
 * Runs one of the app's own rules: `decide`, `evolve`, the schema of an input.
 *
 * What it throws is a bug of the app. A `DOMException`, as `btoa` or `structuredClone` throw it, is thrown on as an
 * error of another kind: in a transaction of the log it would pass for a failure of the storage.
 */
export function runRule<Input extends readonly unknown[], Answer>(
  rule: (...input: Input) => Answer,
  ...input: Input
): Answer {
  try {
    return rule(...input);
  } catch (error) {
    throw error instanceof DOMException ? new Error(String(error), { cause: error }) : error;
  }
}
