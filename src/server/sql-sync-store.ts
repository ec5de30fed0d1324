import type { EventFilter } from '../core/event-query.ts';
import { randomId } from '../protocol/random-id.ts';
import { noHash } from '../protocol/sync-commit.ts';
import { createGroupedWrites, type LockedLog } from './grouped-writes.ts';
import type { SqlDatabase, SqlQuery, SqlRow, SqlValue } from './sql-database.ts';
import { lookUp, type SqlReads } from './sql-look.ts';
import { migrate, removeValue, restoring, writeValue } from './sql-migrations.ts';
import type { PlacedCommit, StoredSyncCommit, SyncLog, SyncStore } from './sync-store.ts';

/**
 * Logs in tables, on any database of PostgreSQL's dialect. Brings the tables to the newest form by itself. Throws where a
 * restore broke off that had stored a part.
 *
 * A push locks the row of its log: positions are given in the order of the commits, by however many servers.
 */
export async function openSqlSyncStore(
  database: SqlDatabase,
  { newId = randomId }: { readonly newId?: () => string } = {},
): Promise<SyncStore> {
  let epoch = await migrate(database, newId);
  const { query } = database;

  return {
    get epoch() {
      return epoch;
    },
    renewEpoch: async () => {
      const next = newId();
      await writeValue(query, 'epoch', next);
      epoch = next;
    },
    restore: async (work) => {
      await writeValue(query, restoring, 'yes');
      const result = await work();
      await removeValue(query, restoring);
      return result;
    },
    findLog: async (logId) => {
      const [row] = await query<LogRow>('select log_id, app, g, oh, bytes from varve_logs where log_id = $1', [logId]);
      return row && toLog(row);
    },
    createLog: async (logId, app) => {
      await query('insert into varve_logs (log_id, app, oh) values ($1, $2, $3) on conflict do nothing', [
        logId,
        app,
        noHash,
      ]);
      const [row] = await query<LogRow>('select log_id, app, g, oh, bytes from varve_logs where log_id = $1', [logId]);
      if (row === undefined) throw new Error(`The log "${logId}" was created and is not there.`);
      return toLog(row);
    },
    listLogs: async () =>
      (await query<LogRow>('select log_id, app, g, oh, bytes from varve_logs order by log_id')).map(toLog),
    orderHashes: async (logId, positions) => {
      const rows = await query<{ readonly g: unknown; readonly oh: string }>(
        'select g, oh from varve_commits where log_id = $1 and g = any(array(select value::bigint from json_array_elements_text($2::json)))',
        [logId, JSON.stringify(positions)],
      );
      return new Map(rows.map(({ g, oh }) => [Number(g), oh]));
    },
    readCommits: async (logId, after, { events, bytes }) => {
      // Between two positions: of an open end a database without statistics reads and sorts all, for each page.
      const [page] = await query<PageRow>(
        `select ${pageColumns} from (
          select *, sum(bytes) over (order by g) as all_bytes, row_number() over (order by g) as place
          from varve_commits where log_id = $1 and g > $2 and g <= $2::bigint + $3::bigint
        ) as counted
        where place = 1 or all_bytes <= $4`,
        [logId, after, events, bytes],
      );
      const commits = toStored(page);
      if (commits.length > 0) return commits;
      // One that is larger than a page, or none.
      const [next] = await query<PageRow>(
        `select ${pageColumns} from varve_commits
        where log_id = $1 and g = (select min(g) from varve_commits where log_id = $1 and g > $2)`,
        [logId, after],
      );
      return toStored(next);
    },
    clientLast: async (logId, client) => (await lookUp(query, logId, [{ client }])).clientLast(client),
    write: createGroupedWrites((logId, looks, work) =>
      database.transaction(async (own) => {
        const [row] = await own<LogRow>(
          'select log_id, app, g, oh, bytes from varve_logs where log_id = $1 for update',
          [logId],
        );
        if (row === undefined) return undefined;
        return work(toLockedLog(own, toLog(row), await lookUp(own, logId, looks)));
      }),
    ),
    close: () => database.close(),
  };
}

interface LogRow extends SqlRow {
  readonly log_id: string;
  readonly app: string;
  readonly g: unknown;
  readonly oh: string;
  readonly bytes: unknown;
}

/**
 * A page as one row: a driver takes longer over a thousand rows of six columns than the database does. Canonical JSON has
 * no line break.
 */
const pageColumns = `json_agg(json_build_array(g, oh, recovered, actor, received_at) order by g) as places,
  string_agg(canonical, E'\\n' order by g) as texts`;

/** Null where there is no commit. */
interface PageRow extends SqlRow {
  readonly places:
    | readonly (readonly [g: number, oh: string, isRecovered: boolean, actor: string, receivedAt: number])[]
    | null;
  readonly texts: string | null;
}

function toLockedLog(query: SqlQuery, { logId, head, bytes }: SyncLog, reads: SqlReads): LockedLog {
  return {
    ...reads,
    head,
    bytes,
    firstMatch: async (filters, after, { client, beforeSeq }) => {
      const parameters: SqlValue[] = [logId, after, client, beforeSeq];
      const condition = filters.map((filter) => toCondition(filter, parameters)).join(' or ');
      const [row] = await query<{ readonly stream: string; readonly revision: unknown; readonly g: unknown }>(
        `select stream, revision, g from varve_events
        where log_id = $1 and g > $2 and not (client = $3 and client_seq < $4) and (${condition})
        order by g limit 1`,
        parameters,
      );
      return row && { stream: row.stream, revision: Number(row.revision), g: Number(row.g) };
    },
    store: async (commits) => {
      const last = commits.at(-1);
      if (last === undefined) return;
      const added = commits.reduce((sum, placed) => sum + placed.bytes, 0);
      const events = commits.flatMap(toEventColumns);
      const rows = [events.slice(0, maxRows), commits.map(toCommitColumns)].map((list) => JSON.stringify(list));
      await query(insertAll, [logId, ...rows, last.g, last.oh, added]);
      for (let start = maxRows; start < events.length; start += maxRows) {
        await query(insertEvents, [logId, JSON.stringify(events.slice(start, start + maxRows))]);
      }
    },
  };
}

/** Events that one statement stores: 100,000 at once took PostgreSQL longer than a statement may take. */
const maxRows = 10_000;

// One parameter for all rows: PostgreSQL has 65,535 at most, and a statement per row is ten times as slow.
const insertEvents = `insert into varve_events (log_id, g, stream, revision, type, tags, client, client_seq)
    select $1, g, stream, revision, type, tags, client, client_seq
    from json_to_recordset($2::json) as row (g bigint, stream text, revision bigint, type text, tags jsonb, client text,
      client_seq bigint)`;

const insertAll = `with events as (${insertEvents}), commits as (
    insert into varve_commits
      (log_id, g, events, oh, command_id, client, client_seq, digest, recovered, actor, received_at, bytes, canonical)
    select $1, g, events, oh, command_id, client, client_seq, digest, recovered, actor, received_at,
      octet_length(canonical), canonical
    from json_to_recordset($3::json) as row (g bigint, events int, oh text, command_id text, client text,
      client_seq bigint, digest text, recovered boolean, actor text, received_at bigint, canonical text)
  )
  update varve_logs set g = $4, oh = $5, bytes = bytes + $6 where log_id = $1`;

function toCommitColumns({ g, oh, commit, digest, isRecovered, actor, receivedAt, text }: PlacedCommit): object {
  return {
    g,
    events: commit.events.length,
    oh,
    command_id: commit.commandId,
    client: commit.client,
    client_seq: commit.clientSeq,
    digest,
    recovered: isRecovered,
    actor,
    received_at: receivedAt,
    canonical: text,
  };
}

function toEventColumns({ g, commit, revisions }: PlacedCommit): readonly object[] {
  const first = g - commit.events.length + 1;
  return commit.events.map(({ stream, type, tags }, index) => ({
    g: first + index,
    stream,
    revision: revisions[index] ?? 0,
    type,
    ...(tags === undefined ? {} : { tags }),
    client: commit.client,
    client_seq: commit.clientSeq,
  }));
}

/** A filter as SQL: its values become parameters. */
function toCondition({ stream, types, tags }: EventFilter, parameters: SqlValue[]): string {
  const place = (value: SqlValue) => `$${parameters.push(value)}`;
  const parts: string[] = [];
  if (stream !== undefined) parts.push(`stream = ${place(stream)}`);
  if (types !== undefined) {
    parts.push(`type = any(array(select value from json_array_elements_text(${place(JSON.stringify(types))}::json)))`);
  }
  if (tags !== undefined && tags.length > 0) parts.push(`tags @> ${place(JSON.stringify(tags))}::jsonb`);
  return parts.length === 0 ? 'true' : `(${parts.join(' and ')})`;
}

function toLog({ log_id, app, g, oh, bytes }: LogRow): SyncLog {
  return { logId: log_id, app, head: { g: Number(g), oh }, bytes: Number(bytes) };
}

function toStored({ places, texts }: Partial<PageRow> = {}): readonly StoredSyncCommit[] {
  const lines = texts?.split('\n') ?? [];
  return (places ?? []).map(([g, oh, isRecovered, actor, receivedAt], index) => ({
    g,
    oh,
    text: lines[index] ?? '',
    isRecovered,
    actor,
    receivedAt,
  }));
}
