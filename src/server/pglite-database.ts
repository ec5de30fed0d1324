import type { PGlite, Transaction } from '@electric-sql/pglite';
import { loadDriver } from './load-driver.ts';
import type { SqlDatabase, SqlQuery } from './sql-database.ts';

/**
 * PostgreSQL inside this process, in a folder; in memory where none is named.
 *
 * One process at a time may open a folder, and PGlite does not look: `lockFolder` does. It does not flush to the device:
 * what was stored survives the end of the process, not a power cut.
 */
export async function openPgliteDatabase(folder?: string): Promise<SqlDatabase> {
  const { PGlite: open } = await loadDriver('@electric-sql/pglite', () => import('@electric-sql/pglite'));
  const database: PGlite = await (folder === undefined ? open.create() : open.create(folder));
  const { types } = await import('@electric-sql/pglite');
  return {
    query: toQuery(database, types.INT8),
    transaction: (work) => database.transaction((own) => work(toQuery(own, types.INT8))),
    close: () => database.close(),
  };
}

/** Big numbers as text, as the other driver gives them. */
function toQuery(target: PGlite | Transaction, int8: number): SqlQuery {
  return async (text, parameters = []) => {
    const { rows } = await target.query(text, [...parameters], { parsers: { [int8]: (value: string) => value } });
    // The columns are those of the statement, which its caller knows.
    return rows as never;
  };
}
