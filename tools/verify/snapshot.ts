import type { Client, Pool } from '../../platform/postgres/pool.ts';
import { consumerOf, schemaOf } from '../../platform/postgres/serving.ts';

/** One served model as it stands in the snapshot. */
export interface ModelState {
  model: string;
  version: number;
  schema: string;
  /** Next offset by `topic/partition`; the rows hold exactly what lies before. */
  positions: ReadonlyMap<string, number>;
  /** `topic/partition/offset` of records that are held back and are in no row. */
  parked: ReadonlySet<string>;
}

/** Rows and positions as of one moment: everything is read through `client`. */
export interface Snapshot {
  client: Client;
  models: ModelState[];
  close(): Promise<void>;
}

/** Opens a REPEATABLE READ snapshot; it stays the same until it is closed. */
export async function openSnapshot(
  pool: Pool,
  chosen?: { model: string; version: number },
): Promise<Snapshot> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await client.query(
      'SELECT s.model, s.version, v.schema_name FROM engine.serving s JOIN engine.version v USING (model, version) ORDER BY 1',
    );
    const models: ModelState[] = [];
    const own = chosen
      ? [
          {
            model: chosen.model,
            version: chosen.version,
            schema_name: schemaOf(chosen.model, chosen.version),
          },
        ]
      : rows;
    for (const row of own) models.push(await readState(client, row.model, row.version, row.schema_name));
    return { client, models, close: () => endSnapshot(client) };
  } catch (error) {
    await endSnapshot(client);
    throw error;
  }
}

async function readState(
  client: Client,
  model: string,
  version: number,
  schema: string,
): Promise<ModelState> {
  const consumer = consumerOf(model, version);
  const positions = await client.query(
    'SELECT topic, partition, position FROM engine.position WHERE consumer = $1',
    [consumer],
  );
  const parked = await client.query(
    'SELECT topic, partition, "offset" FROM engine.parked WHERE consumer = $1',
    [consumer],
  );
  return {
    model,
    version,
    schema,
    positions: new Map(positions.rows.map((row) => [`${row.topic}/${row.partition}`, Number(row.position)])),
    parked: new Set(parked.rows.map((row) => `${row.topic}/${row.partition}/${row.offset}`)),
  };
}

async function endSnapshot(client: Client): Promise<void> {
  const broken = await client.query('ROLLBACK').then(
    () => false,
    () => true,
  );
  client.release(broken);
}
