import { FailureError } from '../core/errors.ts';
import type { EventMeta, RecordedEvent } from '../core/events.ts';
import { toCanonicalJson } from '../core/json.ts';
import {
  defaultMaxEventBytes,
  isLargerThan,
  maxTags,
  type NameKind,
  nameProblem,
  sortTags,
  textProblem,
  timeProblem,
  versionProblem,
} from '../protocol/commit-checks.ts';
import type { CommitHead } from '../protocol/commit-digest.ts';
import type { CheckedContent } from './checked-commit.ts';
import type { NewCommit, StreamEvent } from './event-log.ts';

/** The events of a commit as recorded, and the canonical JSON text of each payload. */
export interface RecordedEvents {
  readonly events: readonly RecordedEvent[];
  readonly payloads: readonly string[];
}

/**
 * Gives the events of a commit their ids, positions and revisions, and freezes them.
 *
 * `revisions` holds the revision of every stream that the commit touches and is moved on.
 *
 * Throws `FailureError` with `storage.event-refused` before anything is moved on.
 */
export function recordCommit(
  commit: NewCommit,
  head: number,
  revisions: Map<string, number>,
  maxEventBytes: number = defaultMaxEventBytes,
): RecordedEvents {
  // Before anything moves on: a refused commit leaves no revision behind.
  return recordChecked(commit, checkContents(commit, maxEventBytes), head, revisions);
}

/** What the events of a commit hold, in their order. Throws as `recordCommit` does. */
export function checkContents(commit: NewCommit, maxEventBytes: number): readonly CheckedContent[] {
  if (commit.events.length === 0) throw new Error(`The commit of command "${commit.commandId}" holds no event.`);
  checkHead(commit);
  return commit.events.map((event) => ({ ...toPayload(event, maxEventBytes), tags: toTags(event) }));
}

/** As `recordCommit`, of a commit that was checked: throws nothing. */
export function recordChecked(
  commit: NewCommit,
  contents: readonly CheckedContent[],
  head: number,
  revisions: Map<string, number>,
): RecordedEvents {
  const meta = toMeta(commit);
  const events = commit.events.map((event, index): RecordedEvent => {
    const { stream } = event;
    const revision = requireRevision(revisions, stream) + 1;
    revisions.set(stream, revision);
    const { data, tags } = contents[index] ?? { data: null, tags: undefined };
    return recordEvent({ ...event, data, tags }, { index, revision, position: head + index + 1, meta });
  });
  return { events, payloads: contents.map(({ text }) => text) };
}

/** Lineage and time of a commit, as each of its events carries them. */
export function toMeta({
  commandId,
  correlationId,
  causationId,
  recordedAt,
}: Omit<CommitHead, 'client' | 'clientSeq'>): EventMeta {
  return Object.freeze({
    commandId,
    correlationId,
    ...(causationId === undefined ? {} : { causationId }),
    recordedAt,
  });
}

/** An event in its place, as every reader gets it. `tags` are sorted, each once. */
export function recordEvent(
  {
    stream,
    type,
    version,
    data,
    tags,
  }: Pick<RecordedEvent, 'stream' | 'type' | 'version' | 'data'> & { readonly tags?: readonly string[] | undefined },
  {
    index,
    revision,
    position,
    meta,
  }: Pick<RecordedEvent, 'revision' | 'position' | 'meta'> & { readonly index: number },
): RecordedEvent {
  const id = eventId(meta.commandId, index);
  const event = { id, stream, revision, position, type, version, data, meta };
  return Object.freeze(tags === undefined || tags.length === 0 ? event : { ...event, tags });
}

/** The same however often the command is sent, and nothing more to store. */
export function eventId(commandId: string, index: number): string {
  return `${commandId}.${index}`;
}

function requireRevision(revisions: ReadonlyMap<string, number>, stream: string): number {
  const revision = revisions.get(stream);
  if (revision === undefined) throw new Error(`The revision of stream "${stream}" was not read before the append.`);
  return revision;
}

function checkHead(commit: NewCommit): void {
  const { commandId, correlationId, causationId, recordedAt } = commit;
  checkName('command id', commandId, commit);
  checkText('correlation id', correlationId, commit);
  if (causationId !== undefined) checkText('causation id', causationId, commit);
  const problem = timeProblem(recordedAt);
  if (problem !== undefined) throw refused(commit, problem, 'Round it.');
}

function toPayload(event: StreamEvent, maxEventBytes: number): { readonly text: string; readonly data: unknown } {
  checkName('stream id', event.stream, event);
  checkName('event type', event.type, event);
  const problem = versionProblem(event.version);
  if (problem !== undefined) throw refused(event, problem);
  const canonical = toCanonicalJson(event.data);
  if ('problem' in canonical) {
    throw refused(
      event,
      canonical.problem,
      'Payloads are plain JSON, so that every export, hash and device keeps them unchanged: use strings for dates and for very large numbers, and leave absent fields out.',
    );
  }
  if (isLargerThan(canonical.text, maxEventBytes)) {
    throw refused(
      event,
      `it is larger than ${maxEventBytes} bytes`,
      'Keep large content (files, pictures) outside the log and store its name or hash in the event.',
    );
  }
  return canonical;
}

function toTags(event: StreamEvent): readonly string[] | undefined {
  if (event.tags === undefined || event.tags.length === 0) return undefined;
  for (const tag of event.tags) checkName('tag', tag, event);
  const tags = sortTags(event.tags);
  if (tags.length > maxTags) throw refused(event, `it has ${tags.length} tags, and ${maxTags} are the most`);
  return Object.freeze(tags);
}

function checkName(kind: NameKind, name: string, of: StreamEvent | NewCommit): void {
  const problem = nameProblem(kind, name);
  if (problem !== undefined) throw refused(of, problem);
}

function checkText(kind: NameKind, text: string, of: StreamEvent | NewCommit): void {
  const problem = textProblem(kind, text);
  if (problem !== undefined) throw refused(of, problem);
}

function refused(
  of: StreamEvent | NewCommit,
  problem: string,
  advice = 'Change the name or the content.',
): FailureError {
  const what = 'stream' in of ? `An event "${of.type}" of stream "${of.stream}"` : `The commit "${of.commandId}"`;
  return new FailureError({
    type: 'storage.event-refused',
    text: `${what} cannot be stored: ${problem}. Nothing was saved. ${advice}`,
  });
}
