import type { SqlQuery, SqlRow } from './sql-database.ts';
import type { ClientLast, KnownCommit, PushLook, SyncTransaction } from './sync-store.ts';

type Reads = Pick<SyncTransaction, 'orderHash' | 'commitsById' | 'commitsBySeq' | 'clientLast' | 'revisions'>;

/**
 * Reads what pushes are going to ask of their log, in one query for all of them: what a query costs is the way to the
 * database and back. What nobody has named is asked of `stored`.
 */
export async function lookUp(
  query: SqlQuery,
  logId: string,
  looks: readonly PushLook[],
  stored: Reads,
): Promise<Reads> {
  if (looks.length === 0) return stored;
  const asked = {
    places: new Set(looks.map(({ g }) => g)),
    ids: new Set(looks.flatMap(({ commandIds }) => commandIds)),
    slots: new Map(looks.flatMap(({ client, seqs }) => seqs.map((seq) => [slotOf(client, seq), { client, seq }]))),
    clients: new Set(looks.map(({ client }) => client)),
    streams: new Set(looks.flatMap(({ streams }) => streams)),
  };
  const lists = [asked.places, asked.ids, asked.slots.values(), asked.clients, asked.streams];
  const [row] = await query<FoundRow>(question, [logId, ...lists.map((list) => JSON.stringify([...list]))]);
  const { places, ids, slots, lasts, revisions } = row ?? {};
  const hashAt = new Map(places);
  const byId = new Map(ids?.map((one) => [one[0], toKnown(one)]));
  const bySlot = new Map(slots?.map(([client, ...one]) => [slotOf(client, one[1]), toKnown(one)]));
  const lastOf = new Map(lasts?.map(([client, id, seq, digest]) => [client, { id, seq, digest } satisfies ClientLast]));
  const revisionOf = new Map(revisions);

  return {
    orderHash: async (g) => (asked.places.has(g) && g > 0 ? hashAt.get(g) : stored.orderHash(g)),
    commitsById: async (commandIds) =>
      commandIds.every((id) => asked.ids.has(id)) ? pick(commandIds, byId) : stored.commitsById(commandIds),
    commitsBySeq: async (client, seqs) =>
      seqs.every((seq) => asked.slots.has(slotOf(client, seq)))
        ? pick(seqs, new Map(seqs.map((seq) => [seq, bySlot.get(slotOf(client, seq))])))
        : stored.commitsBySeq(client, seqs),
    clientLast: async (client) => (asked.clients.has(client) ? lastOf.get(client) : stored.clientLast(client)),
    revisions: async (streams) =>
      streams.every((stream) => asked.streams.has(stream))
        ? new Map(streams.map((stream) => [stream, revisionOf.get(stream) ?? -1]))
        : stored.revisions(streams),
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

const question = `select
  (select json_agg(json_build_array(g, oh)) from varve_commits
    where log_id = $1 and g in (select value::bigint from json_array_elements_text($2::json))) as places,
  (select json_agg(json_build_array(${known})) from varve_commits
    where log_id = $1 and command_id in (select value from json_array_elements_text($3::json))) as ids,
  (select json_agg(json_build_array(client, ${known})) from varve_commits
    join json_to_recordset($4::json) as slot (client text, seq bigint) using (client)
    where log_id = $1 and client_seq = seq and not recovered) as slots,
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

function pick<Key, Value>(keys: readonly Key[], found: ReadonlyMap<Key, Value | undefined>): ReadonlyMap<Key, Value> {
  return new Map(
    keys.flatMap((key): [Key, Value][] => {
      const value = found.get(key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}
