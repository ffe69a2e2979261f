import type { Client } from '../../../platform/postgres/pool.ts';
import { controlChannel } from '../../../platform/postgres/serving.ts';
import { crashPoint } from '../../../platform/process/crash-points.ts';
import type { Installed } from '../apply.ts';
import { eraseAll } from '../erasure.ts';
import type { Projection } from '../projection.ts';
import { inSchema, tableStatements } from '../versions.ts';
import { plainCounters, recountStatements } from './recount.ts';
import { dropStaging, settleStaged } from './staging.ts';

/** Memory that Postgres may sort with once, and build an index with, while a build is settled. */
const sortMemory = '256MB';
const indexMemory = '512MB';

/**
 * Turns what was staged into the tables of the build, in the caller's transaction: registers, keys, indexes, counters,
 * derivations, and the positions from which the ordinary path goes on.
 */
export async function finishFilling(
  client: Client,
  projection: Projection,
  installed: Installed,
): Promise<void> {
  const { model, schema, version, consumer } = installed;
  await client.query(
    `SET LOCAL work_mem = '${sortMemory}'; SET LOCAL maintenance_work_mem = '${indexMemory}'`,
  );
  await client.query('SET LOCAL statement_timeout = 0');
  await settleStaged(client, installed);
  await eraseAll(client, installed);
  crashPoint('rebuild.settled');
  await inSchema(client, schema, tableStatements(model).indexes);
  for (const { sql } of recountStatements(schema, plainCounters(model))) await client.query(sql);
  for (const derivation of model.derivations ?? [])
    await client.query(derivation.settle(schema, derivation.every(schema)));
  await projection.filled?.(client, installed);
  await dropStaging(client, installed);
  // Readers come within moments: without this their first plans would be for empty tables.
  for (const name of tableNames(projection)) await client.query(`ANALYZE ${schema}.${name}`);
  await client.query(
    `INSERT INTO engine.position (consumer, topic, partition, position)
     SELECT $1, topic, partition, position FROM engine.rebuild_partition WHERE model = $2 AND version = $3`,
    [consumer, model.name, version],
  );
  await client.query(`UPDATE engine.version SET state = 'projected' WHERE model = $1 AND version = $2`, [
    model.name,
    version,
  ]);
  await client.query('SELECT pg_notify($1, $2)', [controlChannel, `version ${consumer}`]);
}

function tableNames({ model }: Projection): string[] {
  return [...new Set([...model.registers, ...model.counters.map((counter) => counter.into)])];
}
