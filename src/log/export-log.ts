import { toCanonicalJson } from '../core/json.ts';
import { chainStart, commitText, linkCommit } from '../protocol/commit-digest.ts';
import { bytesToHex, hexToBytes } from '../protocol/hex.ts';
import type { EventLog } from './event-log.ts';

/** First line of an export. */
export interface ExportHeader {
  readonly varve: 'log';
  /** Number of this file format. */
  readonly format: 1;
  readonly app: string;
  readonly logId: string;
}

/** Every other line but the last: the bytes that the commit's digest covers, and its order hash. */
export interface ExportLine {
  readonly commit: unknown;
  readonly orderHash: string;
}

/** Last line: without it the file is not whole. */
export interface ExportEnd {
  readonly end: { readonly head: number; readonly orderHash: string };
}

/** A log as NDJSON, some commits at a time: what `importLog` checks and takes. */
export async function* exportLog(log: EventLog, app: string): AsyncGenerator<string> {
  const { logId } = log;
  yield `${JSON.stringify({ varve: 'log', format: 1, app, logId } satisfies ExportHeader)}\n`;
  let { order } = chainStart;
  let head = 0;
  for await (const page of log.readCommits()) {
    let lines = '';
    for (const { events, orderHash, ...commit } of page) {
      const payloads = events.map(({ data }) => toText(data));
      const digest = hexToBytes(commit.prev);
      lines += `{"commit":${commitText(logId, commit, events, payloads, digest)},"orderHash":"${orderHash}"}\n`;
      ({ order } = linkCommit(logId, commit, events, payloads, { digest, order }));
      head = events.at(-1)?.position ?? head;
    }
    yield lines;
  }
  yield `${JSON.stringify({ end: { head, orderHash: bytesToHex(order) } } satisfies ExportEnd)}\n`;
}

function toText(data: unknown): string {
  const canonical = toCanonicalJson(data);
  if ('problem' in canonical) throw new Error(`A stored payload cannot be written as JSON: ${canonical.problem}.`);
  return canonical.text;
}
