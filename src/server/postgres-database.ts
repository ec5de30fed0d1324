import type { PoolClient } from 'pg';
import { loadDriver } from './load-driver.ts';
import { isSerialisationFailure, type SqlDatabase, type SqlQuery } from './sql-database.ts';

export interface PostgresOptions {
  /** Connections at most; 10 if not told. */
  readonly connections?: number;
  /** Gets what happens to connections that nobody is using. */
  readonly onError?: (error: Error) => void;
}

const statementTimeoutMs = 5_000;
const maxAttempts = 5;

/** A PostgreSQL server, by its address (`postgres://user:password@host/database`), with a pool of connections. */
export async function openPostgresDatabase(url: string, options: PostgresOptions = {}): Promise<SqlDatabase> {
  const { connections = 10, onError = () => undefined } = options;
  const { default: pg } = await loadDriver('pg', () => import('pg'));
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: statementTimeoutMs,
    statement_timeout: statementTimeoutMs,
    application_name: 'varve',
  });
  // Without a listener a connection that breaks while it rests would end the process.
  pool.on('error', onError);

  async function attempt<Result>(work: (query: SqlQuery) => Promise<Result>): Promise<Result> {
    const client = await pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('begin isolation level read committed');
      const result = await work(toQuery(client));
      // Only from here on it is stored.
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch((reason: Error) => {
        broken = reason;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  return {
    query: toQuery(pool),
    transaction: async (work) => {
      for (let attempts = 1; ; attempts += 1) {
        try {
          return await attempt(work);
        } catch (error) {
          if (!isSerialisationFailure(error) || attempts === maxAttempts) throw error;
        }
      }
    },
    close: () => pool.end(),
  };
}

function toQuery(target: Pick<PoolClient, 'query'>): SqlQuery {
  return async (text, parameters = []) => {
    const { rows } = await target.query(text, [...parameters]);
    // The columns are those of the statement, which its caller knows.
    return rows as never;
  };
}
