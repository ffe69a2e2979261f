import pg from 'pg';

export type Pool = pg.Pool;
export type Client = pg.PoolClient;
export type Queryable = Pick<pg.Pool, 'query'>;

export interface PoolOptions {
  /** Shows in pg_stat_activity. */
  name: string;
  max?: number;
  /** Milliseconds a statement may take; long-running work (rebuild, verify) sets its own. */
  statementTimeoutMs?: number;
  /**
   * Milliseconds after which a server is given up that says nothing at all, not even that a statement took too long: for
   * pools that requests wait for. Longer than statementTimeoutMs; without it there is no such limit.
   */
  silenceMs?: number;
}

// Counters are bigint in SQL and far below 2^53 in life: numbers are what JSON and arithmetic want.
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => Number(text));

/** A bounded pool whose waits are bounded too. A broken idle connection is dropped, never fatal. */
export function createPool(url: string, options: PoolOptions): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: options.name,
    max: options.max ?? 10,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: options.statementTimeoutMs ?? 15_000,
    ...(options.silenceMs && { query_timeout: options.silenceMs }),
    keepAlive: true,
  });
  pool.on('error', () => {});
  // One that breaks between two statements of a transaction: the next statement says so. Unheard it would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** Milliseconds after which a frozen process loses the partitions of its round to whoever claims them. */
export const roundIdleMs = 30_000;

/** That the server said nothing within silenceMs: nobody waits for its ROLLBACK as long again. */
function isSilence(error: unknown): boolean {
  return (error as Error | null)?.message === 'Query read timeout';
}

const retryable = new Set(['40P01', '40001']);
const attempts = 8;

/** Whether a transaction has failed by no fault of its own, and is run again by `transaction`. */
export function isRetryable(error: unknown): boolean {
  return retryable.has(sqlState(error) ?? '');
}

/** The SQLSTATE of a Postgres error, or undefined for any other. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/**
 * One transaction; deadlocks and serialization failures run it again (DESIGN §2 rule 4), bounded. With `idleLimitMs`
 * Postgres ends it when no statement comes for so long: a process that is frozen in the middle holds its locks no longer.
 */
export async function transaction<T>(
  pool: Pool,
  work: (client: Client) => Promise<T>,
  idleLimitMs = 0,
): Promise<T> {
  const begin =
    idleLimitMs > 0
      ? `BEGIN; SET LOCAL idle_in_transaction_session_timeout = ${Math.round(idleLimitMs)}`
      : 'BEGIN';
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(pool, work, begin);
    } catch (error) {
      if (attempt === attempts || !isRetryable(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5 * 2 ** attempt));
    }
  }
}

async function once<T>(pool: Pool, work: (client: Client) => Promise<T>, begin: string): Promise<T> {
  const client = await pool.connect();
  let broken = false;
  try {
    await client.query(begin);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    broken = isSilence(error);
    if (!broken)
      await client.query('ROLLBACK').catch(() => {
        broken = true;
      });
    throw error;
  } finally {
    client.release(broken);
  }
}
