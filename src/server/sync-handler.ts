import { type Parsed, parseWith, readId } from '../protocol/parse.ts';
import {
  parseCommonRequest,
  parseHelloRequest,
  parsePullRequest,
  parsePushRequest,
} from '../protocol/parse-sync-request.ts';
import { noHash } from '../protocol/sync-commit.ts';
import {
  type CommonReply,
  type HelloReply,
  type SyncBase,
  type SyncPlace,
  syncProtocol,
} from '../protocol/sync-messages.ts';
import { judgeOrigin, type OriginVerdict, toOriginFailure, toPreflight } from './cors.ts';
import { createMetrics } from './metrics.ts';
import { createPokes } from './pokes.ts';
import { type Actor, type Authenticate, denyCommit, denyLog, type Policy, readActorId } from './policy.ts';
import { checkPush, pushCommits } from './push-commits.ts';
import { createRateLimiter } from './rate-limiter.ts';
import { readBody } from './read-body.ts';
import { requireInteger, type ServerLimits, toServerLimits, toSyncLimits } from './server-limits.ts';
import { isTransient } from './sql-database.ts';
import { describeError, SyncFailure, statusOfError } from './sync-failure.ts';
import type { SyncLog, SyncStore } from './sync-store.ts';

export interface SyncHandlerOptions {
  readonly store: SyncStore;
  readonly authenticate: Authenticate;
  /** What it does not allow is denied. */
  readonly authorise: Policy;
  readonly limits?: Partial<ServerLimits>;
  /** Origins of the pages that may speak to the server besides its own, as `https://app.example`. */
  readonly origins?: readonly string[];
  /** Lowest version of the app that may sync. */
  readonly minApp?: number;
  readonly now?: () => number;
  /**
   * Gets one entry for every answer. No payload and no token is in it; what it throws is not heard of. Where it is left
   * out, errors are printed with `console.error`.
   */
  readonly log?: (entry: ServerLogEntry) => void;
  /** Ends the event streams and refuses what comes after. */
  readonly signal?: AbortSignal;
}

export interface ServerLogEntry {
  /** `error` of the server's own, `info` where it does not know a page, `debug` for all that is as it should be. */
  readonly level: 'error' | 'info' | 'debug';
  readonly route: string;
  readonly status: number;
  readonly ms: number;
  readonly actor?: string;
  readonly error?: string;
  /**
   * Of an error that is the server's own: its kind and its text. Of one that the app's rules threw: its kind and where,
   * for its text may hold what was sent.
   */
  readonly detail?: string;
  /** Of pages that are not listed: with `info`. Their operator has to list them, or to wonder whose they are. */
  readonly origin?: string;
}

/** An answer before it is sent: what stands in the body, as text. */
interface Answer {
  readonly status?: number;
  readonly body: BodyInit;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * The server of sync: one function from a request to a response, for any runtime that has these.
 *
 * Its routes may stand below any path, as `/api/sync/hello`.
 * `docs/reference/sync-protocol.md` is what it speaks. What it makes never throws: what goes wrong is an answer.
 * It throws itself where a limit is one that no client can live with.
 */
export function createSyncHandler(options: SyncHandlerOptions): (request: Request) => Promise<Response> {
  const { store, authorise, origins = [], minApp = 0, now = Date.now, log = printErrors, signal } = options;
  const ruleErrors = new WeakSet<object>();
  const authenticate = markErrors(options.authenticate, ruleErrors);
  const mayOpen = markErrors(authorise.log ?? denyLog, ruleErrors);
  const mayPush = markErrors(authorise.commit ?? denyCommit, ruleErrors);
  const limits = toServerLimits(options.limits);
  requireInteger('minApp', minApp, 0);
  const requestRate = createRateLimiter(limits.requestsPerSecond, limits.requestBurst, now);
  const eventRate = createRateLimiter(limits.eventsPerSecond, limits.eventBurst, now);
  const metrics = createMetrics();
  const pokes = createPokes(async (logId) => {
    const found = await store.findLog(logId);
    return found && { epoch: store.epoch, g: found.head.g };
  });
  const streamsByActor = new Map<string, number>();
  signal?.addEventListener('abort', () => pokes.close());

  async function hello(body: unknown, actor: Actor): Promise<Answer> {
    const request = requireParsed(parseHelloRequest(body));
    const [min, max] = request.proto;
    if (min > syncProtocol || max < syncProtocol || request.app.version < minApp) {
      throw new SyncFailure('UPGRADE_REQUIRED', 'This server needs a newer version of the app.', {
        minApp,
        proto: [syncProtocol, syncProtocol],
      });
    }
    let found = await openLog(actor, request.log, true);
    found ??= await store.createLog(request.log, request.app.name);
    if (found.app !== request.app.name) {
      throw new SyncFailure('APP_MISMATCH', 'The log belongs to another app.');
    }
    const last = await store.clientLast(request.log, request.client);
    const reply: HelloReply = {
      proto: syncProtocol,
      epoch: store.epoch,
      head: found.head,
      clientLast: last === undefined ? null : { seq: last.seq, id: last.id },
      serverTime: now(),
      limits: toSyncLimits(limits),
      minApp,
    };
    return { body: JSON.stringify(reply) };
  }

  async function pull(body: unknown, actor: Actor): Promise<Answer> {
    const { log: logId, base, limit, maxBytes } = requireParsed(parsePullRequest(body));
    const { head } = await requireLog(actor, logId);
    const known = base.g === 0 ? noHash : (await store.orderHashes(logId, [base.g])).get(base.g);
    if (known !== base.oh) throw diverged(head);
    const isAtHead = base.g === head.g;
    const page = { events: Math.min(limit, limits.pageEvents), bytes: Math.min(maxBytes, limits.pageBytes) };
    const commits = isAtHead ? [] : await store.readCommits(logId, base.g, page);
    const { g, oh } = commits.at(-1) ?? base;
    metrics.add('varve_commits_sent_total', commits.length);
    // The texts are handed on as they were stored: these are the bytes that the digests cover.
    const list = commits.map((commit) => `{"g":${commit.g},"oh":"${commit.oh}","commit":${commit.text}}`).join(',');
    // Others may have pushed between the two reads.
    const newest: SyncPlace = g > head.g ? { g, oh } : head;
    return { body: `{"base":${baseText(base)},"commits":[${list}],"head":${JSON.stringify(newest)}}` };
  }

  async function push(body: unknown, actor: Actor): Promise<Answer> {
    const request = requireParsed(parsePushRequest(body));
    if (request.commits.length > limits.pushCommits) {
      throw new SyncFailure('TOO_LARGE', `A push has ${limits.pushCommits} commits at most.`);
    }
    const checked = checkPush(request, limits);
    const events = checked.commits.reduce(
      (sum, { commit, isTooLarge }) => sum + (isTooLarge ? 0 : commit.events.length),
      0,
    );
    if (events > limits.pushEvents) {
      throw new SyncFailure('TOO_LARGE', `A push has ${limits.pushEvents} events at most.`);
    }
    await requireOpen(actor, request.log, 'read');
    throttle(eventRate.take(rateKey(actor), events));
    const outcome = await store.write(
      request.log,
      (transaction) => pushCommits(transaction, checked, { actor, mayPush, limits, now: now() }),
      checked.look,
    );
    if (outcome === undefined) throw unknownLog();
    if (outcome.type === 'diverged') throw diverged(outcome.head);
    const { reply, appended } = outcome;
    for (const { result } of reply.results) metrics.add('varve_push_results_total', 1, `result="${result.type}"`);
    metrics.add('varve_events_stored_total', outcome.events);
    if (appended > 0) pokes.send(request.log, { epoch: store.epoch, g: reply.head.g });
    return { body: JSON.stringify(reply) };
  }

  async function common(body: unknown, actor: Actor): Promise<Answer> {
    const { log: logId, points } = requireParsed(parseCommonRequest(body));
    await requireLog(actor, logId);
    const hashes = await store.orderHashes(
      logId,
      points.map(({ g }) => g),
    );
    const shared = points.filter(({ g, oh }) => hashes.get(g) === oh).map(({ g }) => g);
    const reply: CommonReply = { g: Math.max(0, ...shared) };
    return { body: JSON.stringify(reply) };
  }

  async function events(request: Request, actor: Actor): Promise<Answer> {
    const given = new URL(request.url).searchParams.get('log');
    const logId = requireParsed(parseWith((value) => readId(value, 'log'), given));
    const { head } = await requireLog(actor, logId);
    const open = streamsByActor.get(actor.id) ?? 0;
    if (open >= limits.streams) throttle(60_000);
    // It may have begun to stop since it was asked, and has ended its streams then.
    requireServing();
    const count = (change: 1 | -1) => {
      metrics.add('varve_open_streams', change);
      const next = (streamsByActor.get(actor.id) ?? 0) + change;
      if (next > 0) streamsByActor.set(actor.id, next);
      else streamsByActor.delete(actor.id);
    };
    const body = pokes.open(logId, { epoch: store.epoch, g: head.g }, count);
    // Some proxies gather an answer before they pass it on, and this one does not end.
    return { body, type: 'text/event-stream', headers: { 'x-accel-buffering': 'no' } };
  }

  /** The log, where the actor may have it. Whoever may not does not learn whether it is there. */
  async function openLog(actor: Actor, logId: string, mayCreate: boolean): Promise<SyncLog | undefined> {
    const found = await store.findLog(logId);
    await requireOpen(actor, logId, found === undefined && mayCreate ? 'create' : 'read');
    return found;
  }

  async function requireOpen(actor: Actor, logId: string, action: 'create' | 'read'): Promise<void> {
    const verdict = await mayOpen(actor, logId, action);
    if (verdict !== 'allow') throw new SyncFailure('FORBIDDEN', `The log is not open to you: ${verdict.deny}.`);
  }

  async function requireLog(actor: Actor, logId: string): Promise<SyncLog> {
    const found = await openLog(actor, logId, false);
    if (found === undefined) throw unknownLog();
    return found;
  }

  function diverged(head: SyncPlace): SyncFailure {
    metrics.add('varve_diverged_total');
    return new SyncFailure('DIVERGED', 'The cursor is on another history than this log.', {
      head,
      epoch: store.epoch,
    });
  }

  function requireServing(): void {
    if (signal?.aborted === true) throw new SyncFailure('UNAVAILABLE', stopping, { after: 2_000 });
  }

  async function requireActor(request: Request): Promise<Actor> {
    const actor = await authenticate(request);
    if (actor === undefined) throw new SyncFailure('AUTH', 'Sign in: the request has no token that is known here.');
    // Its author has to hear of that, and no device.
    const id = parseWith(readActorId, actor.id);
    if (!id.ok) throw new TypeError(`The id that authenticate gives ${id.text}.`);
    return actor;
  }

  const posts: { readonly [route: string]: (body: unknown, actor: Actor) => Promise<Answer> } = {
    '/sync/hello': hello,
    '/sync/pull': pull,
    '/sync/push': push,
    '/sync/common': common,
  };
  const gets: { readonly [route: string]: (request: Request, actor: Actor) => Promise<Answer> } = {
    '/sync/events': events,
    '/metrics': async () => ({ body: metrics.print(), type: 'text/plain; version=0.0.4' }),
  };

  const routes = [...Object.keys(posts), ...Object.keys(gets), '/health'];

  async function answer(request: Request, route: string, seen: (actor: Actor) => void): Promise<Answer> {
    requireServing();
    if (route === '/health') {
      requireMethod(request, 'GET');
      return { body: '{"status":"ok"}' };
    }
    const post = posts[route];
    const get = gets[route];
    if (post === undefined && get === undefined) throw new SyncFailure('NOT_FOUND', 'There is nothing here.');
    requireMethod(request, post === undefined ? 'GET' : 'POST');
    const actor = await requireActor(request);
    seen(actor);
    throttle(requestRate.take(rateKey(actor)));
    if (post !== undefined) return post(await readBody(request, limits.bodyBytes, limits.jsonDepth), actor);
    return (get as NonNullable<typeof get>)(request, actor);
  }

  async function handle(request: Request): Promise<Response> {
    const startedAt = now();
    const { pathname } = new URL(request.url);
    const route = routes.find((one) => pathname.endsWith(one)) ?? 'other';
    let actor: Actor | undefined;
    const { headers, refused } = judgeOrigin(request, origins);
    let response: Response;
    let failure: unknown;
    try {
      if (request.method === 'OPTIONS') response = toPreflight(headers);
      else {
        if (refused !== undefined) throw toOriginFailure(refused);
        const {
          status = 200,
          body,
          type = 'application/json',
          headers: own = {},
        } = await answer(request, route, (who) => {
          actor = who;
        });
        response = new Response(body, {
          status,
          headers: { ...fixedHeaders, ...headers, ...own, 'content-type': type },
        });
      }
    } catch (error) {
      failure = error;
      response = toErrorResponse(error, headers);
    }
    const ms = now() - startedAt;
    metrics.add('varve_requests_total', 1, `route="${route}",status="${response.status}"`);
    metrics.add('varve_request_seconds_total', ms / 1_000, `route="${route}"`);
    const isRefused = refused !== undefined && request.method !== 'OPTIONS';
    report({
      level: response.status >= 500 && !isStopping(failure) ? 'error' : isRefused ? 'info' : 'debug',
      route,
      status: response.status,
      ms,
      ...(actor === undefined ? {} : { actor: actor.id }),
      ...describeFailure(failure, ruleErrors),
      ...(isRefused ? { origin: refused.slice(0, 256) } : {}),
    });
    return response;
  }

  /** What was stored is stored, and is answered so whatever becomes of its line in a log. */
  function report(entry: ServerLogEntry): void {
    void (async () => log(entry))().catch(() => undefined);
  }

  // A clock that throws is all that is left.
  return (request) => handle(request).catch((error: unknown) => toErrorResponse(error, {}));
}

function printErrors(entry: ServerLogEntry): void {
  if (entry.level === 'error') console.error(JSON.stringify(entry));
}

const stopping = 'The server is stopping.';

/** Who stops a server knows of it. */
function isStopping(failure: unknown): boolean {
  return failure instanceof SyncFailure && failure.reply.text === stopping;
}

/** Replies are for one client at one time. */
const fixedHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

function requireParsed<Value>(parsed: Parsed<Value>): Value {
  if (parsed.ok) return parsed.value;
  const { path, text } = parsed;
  throw new SyncFailure('BAD_REQUEST', `The message cannot be read: ${path === '' ? 'it' : path} ${text}.`, { path });
}

function requireMethod(request: Request, method: string): void {
  if (request.method !== method) throw new SyncFailure('METHOD_NOT_ALLOWED', `This takes ${method}.`);
}

function throttle(after: number): void {
  if (after > 0) throw new SyncFailure('THROTTLED', 'Too many requests. Wait.', { after });
}

function unknownLog(): SyncFailure {
  return new SyncFailure('UNKNOWN_LOG', 'There is no such log. A hello creates it.');
}

function rateKey({ id, device = '' }: Actor): string {
  return `${id}\n${device}`;
}

function baseText({ epoch, g, oh }: SyncBase): string {
  return JSON.stringify({ epoch, g, oh });
}

function toErrorResponse(error: unknown, headers: OriginVerdict['headers']): Response {
  const { reply } = error instanceof SyncFailure ? error : toFailure(error);
  return new Response(JSON.stringify(reply), {
    status: statusOfError[reply.error],
    headers: {
      ...fixedHeaders,
      ...headers,
      'content-type': 'application/json',
      ...(reply.after === undefined ? {} : { 'retry-after': String(Math.ceil(reply.after / 1_000)) }),
      ...(reply.error === 'AUTH' ? { 'www-authenticate': 'Bearer' } : {}),
    },
  });
}

function toFailure(error: unknown): SyncFailure {
  return isTransient(error)
    ? new SyncFailure('UNAVAILABLE', 'The database cannot be reached now. Nothing was changed, or try again to see.', {
        after: 2_000,
      })
    : new SyncFailure('FAILED', 'The server failed. Its log says more.');
}

function describeFailure(failure: unknown, ruleErrors: WeakSet<object>): Pick<ServerLogEntry, 'error' | 'detail'> {
  if (failure === undefined) return {};
  if (failure instanceof SyncFailure) {
    const { error, text } = failure.reply;
    return statusOfError[error] < 500 ? { error } : { error, detail: text };
  }
  const { error } = toFailure(failure).reply;
  if (!ruleErrors.has(Object(failure))) return { error, detail: describeError(failure) };
  const { name, code, stack } = Object(failure) as { readonly [field: string]: unknown };
  return { error, detail: `${String(name)} ${String(code ?? '')} ${placesIn(stack)}` };
}

/** The first lines of a stack that name a place: those before them repeat the message. */
function placesIn(stack: unknown): string {
  const lines = typeof stack === 'string' ? stack.split('\n') : [];
  const places = lines.filter((line) => /^ +at .*:\d+:\d+\)?$/.test(line)).map((line) => line.trim());
  return places.slice(0, 3).join(' ').slice(0, 500);
}

/** Remembers what the app's own code throws, and lets it through. */
function markErrors<Given extends unknown[], Value>(
  ask: (...given: Given) => Value | Promise<Value>,
  marked: WeakSet<object>,
): (...given: Given) => Promise<Value> {
  return async (...given) => {
    try {
      return await ask(...given);
    } catch (error) {
      const thrown = typeof error === 'object' && error !== null ? error : new Error('no error was thrown');
      marked.add(thrown);
      throw thrown;
    }
  };
}
