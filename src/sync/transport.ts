import type {
  CommonReply,
  CommonRequest,
  HelloReply,
  HelloRequest,
  PullReply,
  PullRequest,
  PushReply,
  PushRequest,
  SyncErrorCode,
  SyncPoke,
} from '../protocol/sync-messages.ts';

/**
 * The way to a server: the messages of the protocol, one method each. Replies have been read: their form is trusted,
 * their hashes are not.
 *
 * What the server says no with, and what the network does, is thrown as a `SyncRefusal`. A request may be lost after it
 * was obeyed: the loop sends it again. How long to wait for it is the loop's business: it aborts the signal.
 */
export interface SyncTransport {
  hello(request: HelloRequest, call: SyncCall): Promise<HelloReply>;
  pull(request: PullRequest, call: SyncCall): Promise<PullReply>;
  push(request: PushRequest, call: SyncCall): Promise<PushReply>;
  common(request: CommonRequest, call: SyncCall): Promise<CommonReply>;
  /**
   * Hears that the head moved, until the signal is aborted or the line breaks. Nothing depends on it but speed.
   *
   * A poke is a sign of life, and so is whatever else `onBeat` is called for: a line on which nothing comes for 70 s is
   * given up, and drawn anew.
   */
  listen?(logId: string, onPoke: (poke: SyncPoke) => void, call: SyncCall, onBeat: () => void): Promise<void>;
}

/** A page is 1 MiB by the server's own limit; one commit may be larger, and no reply is as large as this. */
export const maxReplyBytes: number = 16 * 1_048_576;

export interface SyncCall {
  readonly signal: AbortSignal;
  /** In whose name: where somebody else has signed in meanwhile, it is not sent, and `OTHER_PRINCIPAL` is thrown. */
  readonly principal: string;
}

/** Of the protocol; or of the way there: nothing came, nothing came in time, or something else came than a reply. */
export type SyncRefusalCode = SyncErrorCode | 'OFFLINE' | 'TIMEOUT' | 'BAD_REPLY' | 'OTHER_PRINCIPAL';

export interface SyncRefusalDetail {
  /** Milliseconds to wait. */
  readonly after?: number;
  /** The request was answered; this one of its commits stands in the way. */
  readonly commandId?: string;
}

/** Why a request came to nothing. */
export class SyncRefusal extends Error {
  readonly code: string;
  readonly detail: SyncRefusalDetail;

  constructor(code: SyncRefusalCode | (string & {}), text: string, detail: SyncRefusalDetail = {}) {
    super(text);
    this.name = 'SyncRefusal';
    this.code = code;
    this.detail = detail;
  }
}

/** The code of a `SyncRefusal`; undefined for what else is thrown. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof SyncRefusal ? error.code : undefined;
}

/** What came is not what the protocol says. */
export function badReply(text: string): SyncRefusal {
  return new SyncRefusal('BAD_REPLY', `The server's reply is not one of the protocol: ${text}.`);
}

/** Who uses the app: a text, or what tells it at the moment. */
export type Principal = string | (() => string);

export function toPrincipal(principal: Principal = ''): () => string {
  return typeof principal === 'string' ? () => principal : principal;
}
