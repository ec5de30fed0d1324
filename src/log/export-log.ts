import { type Failure, FailureError } from '../core/errors.ts';
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
  let written = { order: chainStart.order, head: 0 };
  let lowestFork = Number.POSITIVE_INFINITY;
  const stopListening = log.onRebase((fork) => {
    lowestFork = Math.min(lowestFork, fork);
  });
  try {
    for (;;) {
      if (lowestFork < written.head) throw new FailureError(wentBack);
      lowestFork = Number.POSITIVE_INFINITY;
      const { rebases, confirmed = Number.POSITIVE_INFINITY } = log.order;
      let { order, head } = written;
      // What is pending may stand elsewhere before its end is reached: it is held back until all of it has been read.
      const held: string[] = [];
      for await (const page of log.readCommits(head + 1)) {
        if (log.order.rebases !== rebases) break;
        let lines = '';
        for (const { events, orderHash, ...commit } of page) {
          const payloads = events.map(({ data }) => toText(data));
          const digest = hexToBytes(commit.prev);
          lines += `{"commit":${commitText(logId, commit, events, payloads, digest)},"orderHash":"${orderHash}"}\n`;
          ({ order } = linkCommit(logId, commit, events, payloads, { digest, order }));
          head = events.at(-1)?.position ?? head;
        }
        held.push(lines);
        if (head > confirmed) continue;
        yield* held.splice(0);
        written = { order, head };
      }
      if (log.order.rebases !== rebases) continue;
      yield* held;
      yield `${JSON.stringify({ end: { head, orderHash: bytesToHex(order) } } satisfies ExportEnd)}\n`;
      return;
    }
  } finally {
    stopListening();
  }
}

const wentBack: Failure = {
  type: 'storage.failed',
  text: 'The server was put back to an older state while the log was exported: what was written is not the log any more. Export it again.',
};

function toText(data: unknown): string {
  const canonical = toCanonicalJson(data);
  if ('problem' in canonical) throw new Error(`A stored payload cannot be written as JSON: ${canonical.problem}.`);
  return canonical.text;
}
