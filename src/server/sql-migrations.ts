import type { SqlDatabase, SqlQuery } from './sql-database.ts';

/**
 * The steps from nothing to the tables of today. A step that was released is never changed: the next one is added.
 *
 * `g` is the position of a commit's last event. Names and hashes are compared as bytes, whatever the database's locale.
 */
const migrations: readonly (readonly string[])[] = [
  [
    `create table varve_logs (
      log_id text collate "C" primary key,
      app text not null,
      created_at timestamptz not null default now(),
      g bigint not null default 0,
      oh text not null
    )`,
    `create table varve_commits (
      log_id text collate "C" not null references varve_logs,
      g bigint not null,
      events int not null,
      oh text not null,
      command_id text collate "C" not null,
      client text collate "C" not null,
      client_seq bigint not null,
      digest text not null,
      recovered boolean not null,
      actor text not null,
      received_at bigint not null,
      bytes int not null,
      canonical text not null,
      primary key (log_id, g),
      unique (log_id, command_id)
    )`,
    `create unique index varve_commits_slot on varve_commits (log_id, client, client_seq) where not recovered`,
    `create index varve_commits_client on varve_commits (log_id, client, client_seq)`,
    `create table varve_events (
      log_id text collate "C" not null references varve_logs,
      g bigint not null,
      stream text collate "C" not null,
      revision bigint not null,
      type text collate "C" not null,
      tags jsonb,
      client text collate "C" not null,
      client_seq bigint not null,
      primary key (log_id, g),
      unique (log_id, stream, revision)
    )`,
    `create index varve_events_type on varve_events (log_id, type, g)`,
  ],
  [
    // What a log may grow to is limited: its commits are not to be added up for every push.
    'alter table varve_logs add column bytes bigint not null default 0',
    `update varve_logs set bytes =
      (select coalesce(sum(bytes), 0) from varve_commits where varve_commits.log_id = varve_logs.log_id)`,
  ],
];

/** Held while the tables are made: several servers may start at once. */
const lockNumber = 7_619_283_104;

/** Brings the tables to the newest form, and gives the store's epoch; mints one where there is none. */
export async function migrate(database: SqlDatabase, mintEpoch: () => string): Promise<string> {
  const bringUp = async (query: SqlQuery) => {
    await query('select pg_advisory_xact_lock($1)', [lockNumber]);
    await query('create table if not exists varve_store (name text primary key, value text not null)');
    const version = Number((await readValue(query, 'version')) ?? 0);
    if (version > migrations.length) {
      throw new Error(
        `The database has the tables of a newer varve (${version}, and this one knows ${migrations.length}). Nothing was changed. Update varve on this server.`,
      );
    }
    for (const statement of migrations.slice(version).flat()) await query(statement);
    await writeValue(query, 'version', String(migrations.length));
    const epoch = (await readValue(query, 'epoch')) ?? mintEpoch();
    await writeValue(query, 'epoch', epoch);
    await requireWhole(query);
    return epoch;
  };
  return database.transaction(bringUp, { isUntimed: true });
}

/** The value that is there from before the first commits of a restore to after the last. */
export const restoring = 'restoring';

/** A log that ends early looks like any other, and what is pushed to it leaves no room for the rest of the dump. */
async function requireWhole(query: SqlQuery): Promise<void> {
  if ((await readValue(query, restoring)) === undefined) return;
  const [commit] = await query('select g from varve_commits limit 1');
  if (commit !== undefined) {
    throw new Error(
      'A restore has not come to its end here: the database has a part of the dump, and is not served. Where the restore is still running, wait for it; else take an empty folder or database, and restore the dump into that.',
    );
  }
  await removeValue(query, restoring);
}

async function readValue(query: SqlQuery, name: string): Promise<string | undefined> {
  const [row] = await query<{ readonly value: string }>('select value from varve_store where name = $1', [name]);
  return row?.value;
}

export async function writeValue(query: SqlQuery, name: string, value: string): Promise<void> {
  await query(
    'insert into varve_store (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value',
    [name, value],
  );
}

export async function removeValue(query: SqlQuery, name: string): Promise<void> {
  await query('delete from varve_store where name = $1', [name]);
}
