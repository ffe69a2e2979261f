import { fetchHeads } from '../../../platform/log/topics.ts';
import { type Pool, transaction } from '../../../platform/postgres/pool.ts';
import { consumerOf } from '../../../platform/postgres/serving.ts';
import { crashPoint } from '../../../platform/process/crash-points.ts';
import { newestOf } from '../projection.ts';
import { orderBuild, Refused } from '../rebuild/builds.ts';
import { installFirst } from '../versions.ts';
import type { CommandContext } from './commands.ts';

/** Makes the tables of models that are new and of which the log holds nothing; the others are built by orderDeployed. */
export async function installEmpty({ engine, projections }: CommandContext): Promise<void> {
  const newest = newestOf(projections);
  const topics = [...new Set(newest.flatMap(({ model }) => model.topics))];
  const heads = await fetchHeads(engine.kafka, engine.prefix, topics);
  for (const { model } of newest) {
    const isEmpty = model.topics.every((topic) => heads.get(topic)!.every((head) => head === 0n));
    if (isEmpty) await installFirst(engine.pool, model);
  }
}

/** Seconds after which every process has ended its runner of a version that is to go. */
const settleSeconds = 3;

/** Removes the versions that are to go: tables, positions, parked records, and what stands outside Postgres. */
export async function dropVersions(
  { engine, projections }: CommandContext,
  seen: Map<string, number>,
): Promise<void> {
  const { rows } = await engine.pool.query(
    `SELECT model, version, schema_name FROM engine.version WHERE state = 'dropping'`,
  );
  for (const row of rows) {
    const consumer = consumerOf(row.model, row.version);
    const since = seen.get(consumer) ?? Date.now();
    seen.set(consumer, since);
    if (Date.now() - since < settleSeconds * 1_000) continue;
    const projection = projections.find(({ model }) => model.name === row.model);
    await projection?.dropped?.(engine, row.version);
    await dropVersion(engine.pool, row, consumer);
    seen.delete(consumer);
    engine.log.info({ consumer }, 'version dropped');
  }
  await forgetStrays(engine.pool);
}

/** A process that was frozen while its version was dropped may have claimed positions for it afterwards. */
async function forgetStrays(pool: Pool): Promise<void> {
  await pool.query(
    String.raw`DELETE FROM engine.position p WHERE consumer ~ '\.v[0-9]+$'
      AND NOT EXISTS (SELECT FROM engine.version v WHERE p.consumer = v.model || '.v' || v.version)`,
  );
}

async function dropVersion(
  pool: Pool,
  { model, version, schema_name }: { model: string; version: number; schema_name: string },
  consumer: string,
): Promise<void> {
  await transaction(pool, async (client) => {
    await client.query(`SET LOCAL lock_timeout = '2s'`);
    const { rowCount } = await client.query(
      `DELETE FROM engine.version WHERE model = $1 AND version = $2 AND state = 'dropping'`,
      [model, version],
    );
    if (rowCount === 0) return;
    await client.query(`DROP SCHEMA ${schema_name} CASCADE`);
    crashPoint('version.dropping');
    for (const table of ['position', 'parked', 'suspect', 'member'])
      await client.query(`DELETE FROM engine.${table} WHERE consumer = $1`, [consumer]);
    await client.query('DELETE FROM engine.rebuild_partition WHERE model = $1 AND version = $2', [
      model,
      version,
    ]);
  });
}

/** A deploy that brings another definition of a model has it built, once. */
export async function orderDeployed({ engine, projections }: CommandContext): Promise<void> {
  const newest = newestOf(projections).filter(({ model }) => !model.unserved);
  const { rows } = await engine.pool.query(
    `SELECT n.model FROM unnest($1::text[], $2::int[]) AS n (model, definition)
     WHERE NOT EXISTS (SELECT FROM engine.version v WHERE v.model = n.model AND v.definition >= n.definition)
       AND NOT EXISTS (SELECT FROM engine.rebuild r WHERE r.model = n.model AND r.definition >= n.definition)`,
    [newest.map(({ model }) => model.name), newest.map(({ model }) => model.version)],
  );
  for (const row of rows) {
    const projection = newest.find(({ model }) => model.name === row.model)!;
    const order = {
      askedBy: `deploy of definition ${projection.model.version}`,
      autoSwitch: true,
      once: true,
    } as const;
    await transaction(engine.pool, (client) => orderBuild(client, projection, order))
      .then((version) =>
        engine.log.info({ model: row.model, version }, 'a new definition is built beside the served one'),
      )
      .catch((error) => {
        if (!(error instanceof Refused)) throw error;
      });
  }
}
