import { noHash } from '../protocol/sync-commit.ts';
import { findAll } from './find-all.ts';
import type { SqlQuery, SqlRow } from './sql-database.ts';
import type { KnownCommit, PushLook, SyncReads } from './sync-store.ts';

/** What a transaction says of what is stored, but for what matches a condition. */
export type SqlReads = Omit<SyncReads, 'head' | 'bytes' | 'firstMatch'>;

/**
 * Reads what pushes are going to ask of their log, in one query for all of them: what a query costs is the way to the
 * database and back. What nobody has named is asked when it is wanted.
 */
export async function lookUp(query: SqlQuery, logId: string, looks: readonly Partial<PushLook>[]): Promise<SqlReads> {
  const asked = {
    places: new Set(looks.flatMap(({ g = 0 }) => (g === 0 ? [] : [g]))),
    ids: new Set(looks.flatMap(({ commandIds = [] }) => commandIds)),
    slots: new Map(
      looks.flatMap(({ client = '', seqs = [] }) => seqs.map((seq) => [slotOf(client, seq), { client, seq }])),
    ),
    clients: new Set(looks.flatMap(({ client = [] }) => client)),
    streams: new Set(looks.flatMap(({ streams = [] }) => streams)),
  };
  const lists = [asked.places, asked.ids, asked.slots.values(), asked.clients, asked.streams];
  const parameters = [logId, ...lists.map((list) => JSON.stringify([...list]))];
  const [row] = looks.length === 0 ? [] : await query<FoundRow>(question, parameters);
  const { places, ids, slots, lasts, revisions } = row ?? {};
  const hashAt = new Map(places);
  const byId = new Map(ids?.map((one) => [one[0], toKnown(one)]));
  const bySlot = new Map(slots?.map(([client, ...one]) => [slotOf(client, one[1]), toKnown(one)]));
  const lastOf = new Map(lasts?.map(([client, id, seq, digest]) => [client, { id, seq, digest }]));
  const revisionOf = new Map(revisions);
  const ask = (look: Partial<PushLook>) => lookUp(query, logId, [look]);

  return {
    orderHash: async (g) => {
      if (g === 0) return noHash;
      return asked.places.has(g) ? hashAt.get(g) : (await ask({ g })).orderHash(g);
    },
    commitsById: async (commandIds) =>
      commandIds.every((id) => asked.ids.has(id))
        ? findAll(commandIds, (id) => byId.get(id))
        : (await ask({ commandIds })).commitsById(commandIds),
    commitsBySeq: async (client, seqs) =>
      seqs.every((seq) => asked.slots.has(slotOf(client, seq)))
        ? findAll(seqs, (seq) => bySlot.get(slotOf(client, seq)))
        : (await ask({ client, seqs })).commitsBySeq(client, seqs),
    hasCommit: async (client, seq, digest) => {
      const found = await query(
        `select 1 from varve_commits where log_id = $1 and client = $2 and client_seq = $3 and digest = $4 limit 1`,
        [logId, client, seq, digest],
      );
      return found.length > 0;
    },
    clientLast: async (client) =>
      asked.clients.has(client) ? lastOf.get(client) : (await ask({ client })).clientLast(client),
    revisions: async (streams) =>
      streams.every((stream) => asked.streams.has(stream))
        ? new Map(streams.map((stream) => [stream, revisionOf.get(stream) ?? -1]))
        : (await ask({ streams })).revisions(streams),
  };
}

/** JSON of the database: positions and numbers are far below 2⁵³. Null where nothing was found. */
interface FoundRow extends SqlRow {
  readonly places: readonly (readonly [g: number, oh: string])[] | null;
  readonly ids: readonly KnownColumns[] | null;
  readonly slots: readonly (readonly [client: string, ...KnownColumns])[] | null;
  readonly lasts: readonly (readonly [client: string, id: string, seq: number, digest: string])[] | null;
  readonly revisions: readonly (readonly [stream: string, revision: number | null])[] | null;
}

type KnownColumns = readonly [id: string, seq: number, g: number, digest: string];

const known = 'command_id, client_seq, g, digest';

/**
 * Each part finds its rows by an index, one by one, also in tables that were never analysed: PGlite does not do it by
 * itself, and lists that are joined it reads whole logs for (150 pushes a second at 10,000 commits, and falling).
 */
const question = `select
  (select json_agg(json_build_array(g, oh)) from varve_commits
    where log_id = $1 and g = any(array(select value::bigint from json_array_elements_text($2::json)))) as places,
  (select json_agg(json_build_array(${known})) from varve_commits
    where log_id = $1 and command_id = any(array(select value from json_array_elements_text($3::json)))) as ids,
  (select json_agg(json_build_array(slot.client, taken.command_id, taken.client_seq, taken.g, taken.digest))
    from json_to_recordset($4::json) as slot (client text, seq bigint)
    cross join lateral (
      select ${known} from varve_commits
      where log_id = $1 and varve_commits.client = slot.client and client_seq = slot.seq and not recovered limit 1
    ) as taken) as slots,
  (select json_agg(json_build_array(asked.client, last.command_id, last.client_seq, last.digest))
    from (select value collate "C" as client from json_array_elements_text($5::json)) as asked
    cross join lateral (
      select ${known} from varve_commits where log_id = $1 and varve_commits.client = asked.client
      order by client_seq desc, g desc limit 1
    ) as last) as lasts,
  (select json_agg(json_build_array(asked.stream, (
      select max(revision) from varve_events where log_id = $1 and varve_events.stream = asked.stream
    ))) from (select value collate "C" as stream from json_array_elements_text($6::json)) as asked) as revisions`;

function toKnown([id, seq, g, digest]: KnownColumns): KnownCommit {
  return { id, seq, g, digest };
}

function slotOf(client: string, seq: number): string {
  return `${seq} ${client}`;
}
