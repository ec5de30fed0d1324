/** What the store needs of a database that speaks PostgreSQL's SQL. `$1` … stand for the parameters. */
export interface SqlDatabase {
  readonly query: SqlQuery;
  /**
   * Runs `work` in one transaction, read committed: what it locks, it sees as it is.
   *
   * Rolls back where `work` throws. It is run again where the database had to give it up for another one's sake.
   */
  transaction<Result>(work: (query: SqlQuery) => Promise<Result>, options?: TransactionOptions): Promise<Result>;
  close(): Promise<void>;
}

export interface TransactionOptions {
  /** Its statements take as long as they take: those that make the tables read whole logs, and wait for each other. */
  readonly isUntimed?: boolean;
}

export type SqlQuery = <Row extends SqlRow = SqlRow>(
  text: string,
  parameters?: readonly SqlValue[],
) => Promise<readonly Row[]>;

export interface SqlRow {
  readonly [column: string]: unknown;
}

export type SqlValue = string | number | boolean | null;

/** Whether another transaction was in the way: the same work may go through now. */
export function isSerialisationFailure(error: unknown): boolean {
  return serialisation.has(codeOf(error));
}

/** Whether the database may do it a little later: it is busy, starting, stopping or cannot be reached. */
export function isTransient(error: unknown): boolean {
  const code = codeOf(error);
  return serialisation.has(code) || transient.has(code) || code.startsWith('08');
}

// deadlock_detected and serialization_failure.
const serialisation: ReadonlySet<string> = new Set(['40001', '40P01']);
const transient: ReadonlySet<string> = new Set([
  '53300', // too many connections
  '55P03', // lock not available in time
  '57014', // statement timeout
  '57P01', // shutting down
  '57P02',
  '57P03', // starting up
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

function codeOf(error: unknown): string {
  const { code } = Object(error) as { readonly code?: unknown };
  return typeof code === 'string' ? code : '';
}
