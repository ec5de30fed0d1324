import type { PoolClient, QueryConfig } from 'pg';
import { maxTimerMs } from './in-time.ts';
import { loadDriver } from './load-driver.ts';
import { isSerialisationFailure, type SqlDatabase, type SqlQuery, type TransactionOptions } from './sql-database.ts';

export interface PostgresOptions {
  /** Connections at most; 10 if not told. */
  readonly connections?: number;
  /**
   * How long a statement may take, in milliseconds, and how long a connection is waited for; 5,000 if not told. The tables
   * are made without that limit.
   */
  readonly statementMs?: number;
  /** Gets what happens to connections that nobody is using. */
  readonly onError?: (error: Error) => void;
}

const maxAttempts = 5;
/**
 * A statement of which nothing is heard this many times as long as it may take was not heard: its server is silent. One
 * that speaks ends it itself before, so that no step of a dump or a restore is cut off that the server would finish.
 */
const silence = 2;

/** A PostgreSQL server, by its address (`postgres://user:password@host/database`), with a pool of connections. */
export async function openPostgresDatabase(url: string, options: PostgresOptions = {}): Promise<SqlDatabase> {
  const { connections = 10, statementMs = 5_000, onError = () => undefined } = options;
  const { default: pg } = await loadDriver('pg', () => import('pg'));
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: statementMs,
    statement_timeout: statementMs,
    query_timeout: silence * statementMs,
    keepAlive: true,
    application_name: 'varve',
  });
  // Without a listener a connection that breaks while it rests would end the process.
  pool.on('error', onError);

  /** One that was lost is not used again. */
  async function withConnection<Result>(
    work: (client: PoolClient, lose: (error: Error) => void) => Promise<Result>,
  ): Promise<Result> {
    const client = await withCode(pool.connect());
    let lost: Error | undefined;
    const lose = (error: Error) => {
      lost = error;
    };
    // It may break between two queries, and then only this is told: without a listener the process would end.
    client.on('error', lose);
    try {
      return await work(client, lose);
    } catch (error) {
      if (isLost(error)) lose(error);
      throw error;
    } finally {
      client.off('error', lose);
      client.release(lost);
    }
  }

  async function attempt<Result>(
    work: (query: SqlQuery) => Promise<Result>,
    { isUntimed = false }: TransactionOptions,
  ): Promise<Result> {
    return withConnection(async (client, lose) => {
      const query = toQuery(client);
      await query('begin isolation level read committed');
      try {
        if (isUntimed) await query('set local statement_timeout = 0');
        const result = await work(isUntimed ? toQuery(client, maxTimerMs) : query);
        // Only from here on it is stored.
        await query('commit');
        return result;
      } catch (error) {
        // With a lost connection the transaction is lost too.
        if (!isLost(error)) await query('rollback').catch(lose);
        throw error;
      }
    });
  }

  return {
    query: (text, parameters) => withConnection((client) => toQuery(client)(text, parameters)),
    transaction: async (work, options = {}) => {
      for (let attempts = 1; ; attempts += 1) {
        try {
          return await attempt(work, options);
        } catch (error) {
          if (!isSerialisationFailure(error) || attempts === maxAttempts) throw error;
        }
      }
    },
    close: () => pool.end(),
  };
}

function toQuery(client: Pick<PoolClient, 'query'>, timeoutMs?: number): SqlQuery {
  return async (text, parameters = []) => {
    const asked: TimedQuery = { text, values: [...parameters], query_timeout: timeoutMs };
    const { rows } = await withCode(client.query(asked));
    // The columns are those of the statement, which its caller knows.
    return rows as never;
  };
}

/** The driver reads it, and its types do not have it. */
interface TimedQuery extends QueryConfig {
  /** In the place of the pool's, where it is told. */
  readonly query_timeout: number | undefined;
}

/** The database's errors have a code, and the system's too. The driver's own have none: they are about connections. */
async function withCode<Value>(asked: Promise<Value>): Promise<Value> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Error && error.name === 'Error' && !('code' in error)) {
      Object.assign(error, { code: connectionFailure });
    }
    throw error;
  }
}

const connectionFailure = '08006';

function isLost(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === connectionFailure;
}
