import { failure } from '../../deploy/native/failure.ts';
import type { Queryable } from '../../platform/postgres/pool.ts';

/** Every model that has tables, and every consumer that has none, such as the media pipeline. */
async function knownModels(pool: Queryable): Promise<string[]> {
  const { rows } = await pool.query(
    String.raw`SELECT model FROM engine.version
      UNION SELECT consumer FROM engine.position WHERE consumer !~ '\.v\d+$' ORDER BY 1`,
  );
  return rows.map((row) => row.model);
}

/** Refuses a model nobody knows, naming those there are. */
export async function requireModel(pool: Queryable, model: string): Promise<void> {
  const known = await knownModels(pool);
  if (known.includes(model)) return;
  throw failure(
    `There is no model ${model}.`,
    known.length > 0 ? `There are ${known.join(', ')}.` : 'There is none yet: no projector has ever started.',
  );
}
