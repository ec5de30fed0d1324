import { type Failure, FailureError } from '../core/errors.ts';
import { hardMaxEventBytes } from '../protocol/commit-checks.ts';
import { chainStart, commitDigest, commitText, orderHash as toOrderHash } from '../protocol/commit-digest.ts';
import { bytesToHex, hexToBytes } from '../protocol/hex.ts';
import type { NewCommit, StreamEvent } from './event-log.ts';
import type { ExportEnd, ExportHeader } from './export-log.ts';
import type { LinkedCommit } from './pack-commits.ts';
import { recordCommit } from './record-commit.ts';
import { orderMark } from './segment.ts';

export interface StageOptions {
  /** Also where the log holds events. What is saved after the staging began is never replaced. */
  readonly replace: boolean;
  /** Of the import. Staged again where it was swapped in already, for nobody heard of it, it changes nothing. */
  readonly importId: string;
}

/**
 * Where an import is put together, unseen, until it is whole. Once another one has begun, each call throws
 * `FailureError` with `import.refused`.
 */
export interface Staging {
  append(commits: readonly LinkedCommit[]): Promise<void>;
  /**
   * Puts it in the place of the log, in one transaction. Other openings of the log learn of it at their next call.
   * Throws `FailureError` with `import.refused` where something was saved in the log since the staging began.
   */
  swapIn(logId: string): Promise<void>;
  /** Leaves nothing behind. */
  discard(): Promise<void>;
}

/** What was imported. */
export interface ImportSummary {
  readonly logId: string;
  readonly commits: number;
  readonly events: number;
}

export interface ImportOptions {
  readonly app: string;
  /** Where a certain log was joined: no other may be put in its place. */
  readonly onlyLogId?: string | undefined;
  /** Told after every piece that was read: bytes, of the file's size. */
  readonly onProgress?: (done: number) => void;
  readonly isCancelled?: () => boolean;
}

/** Longest line, in characters: a commit of some hundred thousand events. */
const maxLine = 2 ** 27;

/** Commits that are staged at a time. */
const maxBatch = 2_000;

/** What stands around a commit in its line: `,"orderHash":"` and 64 digits and `"}` after it. */
const commitStart = '{"commit":';
const lineEndLength = 80;

/**
 * Reads an export, checks every link of it, and puts it in the place of the log.
 *
 * Throws `FailureError`: `import.refused` with the line and what is wrong with it, `engine.cancelled`, or what the
 * storage says. Then nothing has changed and nothing is left behind.
 */
export async function importLog(
  file: ReadableStream<Uint8Array>,
  staging: Staging,
  { app, onlyLogId, onProgress, isCancelled }: ImportOptions,
): Promise<ImportSummary> {
  const reader = createLineReader(app, onlyLogId);
  try {
    let batch: LinkedCommit[] = [];
    const flush = async () => {
      const commits = batch;
      batch = [];
      if (commits.length > 0) await staging.append(commits);
    };
    for await (const { lines, bytes } of readLines(file)) {
      for (const line of lines) {
        const commit = reader.take(line);
        if (commit !== undefined && batch.push(commit) >= maxBatch) await flush();
      }
      onProgress?.(bytes);
      if (isCancelled?.())
        throw new FailureError({ type: 'engine.cancelled', text: 'The import was cancelled. Nothing was changed.' });
    }
    await flush();
    const summary = reader.finish();
    await staging.swapIn(summary.logId);
    return summary;
  } catch (error) {
    await staging.discard();
    throw error;
  }
}

/** Checks line after line; what follows from the lines before is compared with what the line says. */
function createLineReader(app: string, onlyLogId: string | undefined) {
  const revisions = new Map<string, number>();
  const commandIds = new Set<string>();
  let { order } = chainStart;
  let line = 0;
  let logId = '';
  let head = 0;
  let commits = 0;
  let ended = false;

  const refuse = (problem: string): FailureError =>
    new FailureError(refusal(`line ${line} ${problem}`, 'The file was damaged or changed after it was exported.'));

  function takeHeader(value: Record<string, unknown>, text: string): void {
    if (value.varve !== 'log' || typeof value.logId !== 'string') {
      throw new FailureError(
        refusal('it does not begin as an export of a log', 'Choose a file that this app exported.'),
      );
    }
    if (value.format !== 1) {
      throw new FailureError(
        refusal(`its format is ${String(value.format)}, and this version of the app reads 1`, 'Update the app.'),
      );
    }
    if (value.app !== app) {
      throw new FailureError(
        refusal(`it is of the app "${String(value.app)}", and this is "${app}"`, 'Choose a file of this app.'),
      );
    }
    if (onlyLogId !== undefined && value.logId !== onlyLogId) {
      throw new FailureError(
        refusal(
          `it is of the log "${value.logId}", and this device has joined "${onlyLogId}"`,
          'Choose a backup of that log, or open the app without joining one.',
        ),
      );
    }
    logId = value.logId;
    const header: ExportHeader = { varve: 'log', format: 1, app, logId };
    if (text !== JSON.stringify(header)) throw refuse('is not as it was written');
  }

  function takeCommit(value: Record<string, unknown>, text: string): LinkedCommit {
    const { orderHash } = value;
    const { head: commitHead, prev, commit } = parseCommit(value.commit, refuse);
    if (commandIds.has(commit.commandId)) throw refuse('repeats a commit');
    commandIds.add(commit.commandId);
    for (const { stream } of commit.events) if (!revisions.has(stream)) revisions.set(stream, -1);
    const { events, payloads } = recordCommit(commit, head, revisions, hardMaxEventBytes);
    const covered = commitText(logId, commitHead, events, payloads, prev);
    // To the letter: nothing in the line is outside the hash.
    const isSame =
      text.startsWith(commitStart) &&
      text.endsWith(`,"orderHash":"${String(orderHash)}"}`) &&
      text.slice(commitStart.length, -lineEndLength) === covered;
    if (!isSame) throw refuse('is not as it was written');
    const digest = commitDigest(covered);
    const before = order;
    head += events.length;
    order = toOrderHash(before, digest, head);
    if (bytesToHex(order) !== orderHash) throw refuse('does not match its link');
    commits += 1;
    return { head: commitHead, events, payloads, prev, digest, before, after: order, mark: orderMark(order) };
  }

  function takeEnd(end: unknown, text: string): void {
    const { head: fileHead, orderHash } = Object(end) as Record<string, unknown>;
    if (fileHead !== head || typeof orderHash !== 'string' || orderHash !== bytesToHex(order))
      throw refuse('ends with another hash than its commits');
    const written: ExportEnd = { end: { head, orderHash } };
    if (text !== JSON.stringify(written)) throw refuse('is not as it was written');
    ended = true;
  }

  return {
    take: (text: string): LinkedCommit | undefined => {
      if (text === '') return undefined;
      line += 1;
      if (ended) throw refuse('comes after the end');
      const value = parseObject(text);
      if (value === undefined) throw refuse('is not a JSON object');
      if (line === 1) return void takeHeader(value, text);
      if ('end' in value) return void takeEnd(value.end, text);
      try {
        return takeCommit(value, text);
      } catch (error) {
        // What cannot be stored was never in a log.
        if (error instanceof FailureError && error.failure.type === 'storage.event-refused')
          throw refuse(`holds what no log can hold: ${error.failure.text}`);
        throw error;
      }
    },
    finish: (): ImportSummary => {
      if (!ended) {
        throw new FailureError(refusal('its end is missing', 'The export or the download was not complete.'));
      }
      return { logId, commits, events: head };
    },
  };
}

function parseCommit(value: unknown, refuse: (problem: string) => FailureError) {
  const { commandId, correlationId, causationId, recordedAt, client, clientSeq, prev, events } = Object(
    value,
  ) as Record<string, unknown>;
  if (
    typeof commandId !== 'string' ||
    typeof correlationId !== 'string' ||
    (causationId !== undefined && typeof causationId !== 'string') ||
    typeof recordedAt !== 'number' ||
    typeof client !== 'string' ||
    !Number.isSafeInteger(clientSeq) ||
    typeof clientSeq !== 'number' ||
    clientSeq < 1 ||
    typeof prev !== 'string' ||
    !/^[0-9a-f]{64}$/.test(prev) ||
    !Array.isArray(events) ||
    events.length === 0 ||
    !events.every(isStreamEvent)
  ) {
    throw refuse('is not a commit');
  }
  const lineage = { commandId, correlationId, ...(causationId === undefined ? {} : { causationId }), recordedAt };
  const commit: NewCommit = { ...lineage, events };
  // Which commit that is, its author says: with sync, commits stand in other orders than they were written in.
  return { head: { ...lineage, client, clientSeq }, prev: hexToBytes(prev), commit };
}

function isStreamEvent(value: unknown): value is StreamEvent {
  const { stream, type, version, tags } = Object(value) as Record<string, unknown>;
  return (
    typeof stream === 'string' &&
    typeof type === 'string' &&
    typeof version === 'number' &&
    (tags === undefined || (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')))
  );
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Whole lines of each piece of a stream, and how many bytes have been read. */
async function* readLines(
  file: ReadableStream<Uint8Array>,
): AsyncGenerator<{ readonly lines: readonly string[]; readonly bytes: number }> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const reader = file.getReader();
  let rest = '';
  let bytes = 0;
  let next = reader.read();
  try {
    for (;;) {
      const { value, done } = await next;
      // Read while these lines are checked. Where that ends early, nobody waits for it.
      if (!done) next = reader.read();
      next.catch(() => undefined);
      if (value !== undefined) bytes += value.length;
      const lines = (rest + decode(decoder, value)).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > maxLine) {
        throw new FailureError(refusal(`it has a line longer than ${maxLine} characters`, 'It is not an export.'));
      }
      if (done && rest !== '') lines.push(rest);
      yield { lines, bytes };
      if (done) return;
    }
  } finally {
    // Also where the reading was given up: the file is let go.
    await reader.cancel().catch(() => undefined);
  }
}

function decode(decoder: TextDecoder, bytes: Uint8Array | undefined): string {
  try {
    return decoder.decode(bytes, { stream: bytes !== undefined });
  } catch {
    throw new FailureError(refusal('it is not UTF-8 text', 'Choose a file that this app exported.'));
  }
}

export function refusal(problem: string, advice: string): Failure {
  return { type: 'import.refused', text: `The file cannot be imported: ${problem}. Nothing was changed. ${advice}` };
}
