import { failure } from '../../deploy/native/failure.ts';
import { createPool, type Pool } from '../../platform/postgres/pool.ts';
import { type Config, readConfig } from '../../platform/process/config.ts';

export interface Operator {
  config: Config;
  /** As the owner of the database. */
  pool: Pool;
}

/** Connects an operator's command to Postgres for as long as `work` takes; says in a sentence when nobody answers. */
export async function withOperator<T>(
  env: Record<string, string | undefined>,
  work: (operator: Operator) => Promise<T>,
): Promise<T> {
  const config = readConfig(env);
  const pool = createPool(config.databaseUrl, { name: 'emulsion-operator', max: 4 });
  try {
    await pool.query('SELECT').catch((error: Error) => {
      throw failure(
        `Postgres does not answer: ${error.message || (error as NodeJS.ErrnoException).code}.`,
        'See what is wrong with npx emulsion doctor.',
        error,
      );
    });
    return await work({ config, pool });
  } finally {
    await pool.end();
  }
}
