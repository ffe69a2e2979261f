import type { LogRecord } from '../../../platform/log/consumer.ts';
import { readLog, type Stretch } from '../../../platform/log/read-log.ts';
import { fetchHeads } from '../../../platform/log/topics.ts';
import { type Client, type Pool, transaction } from '../../../platform/postgres/pool.ts';
import { crashPoint } from '../../../platform/process/crash-points.ts';
import type { Installed } from '../apply.ts';
import { type Projection, projectionOf } from '../projection.ts';
import { type Engine, openBuild } from '../runner.ts';
import { Refused } from './builds.ts';
import type { Scope } from './scope.ts';
import { openScopeFold, type ScopeFold } from './scope-fold.ts';
import { rewriteScope } from './scope-rows.ts';

export interface RepairContext {
  engine: Engine;
  projections: readonly Projection[];
}

/**
 * Makes the rows of a scope again in the served version, from all events that ever made them, in one transaction:
 * readers see the rows as they were, then as they are. Most of the log is read before that; while the rows are
 * written the projection of the model is held still. Gives a sentence for the operator; throws Refused, among others
 * when parked records were applied meanwhile.
 */
export async function repair(
  { engine, projections }: RepairContext,
  { model }: Projection,
  scope: Scope,
): Promise<string> {
  const { projection, installed } = await servedBuild(engine.pool, projections, model.name);
  const from = await savedPositions(engine.pool, installed);
  const fold = await openScopeFold(engine, installed, scope);
  await read(
    engine,
    from.map((s) => ({ ...s, from: 0n })),
    fold,
  );
  const result = await transaction(engine.pool, async (client) => {
    await client.query('SET LOCAL statement_timeout = 0');
    const ends = await holdStill(client, engine, projection, installed);
    await fold.lookAgain(client);
    await read(engine, tails(from, ends), fold);
    const written = await rewriteScope(client, engine, installed, scope, fold.winners());
    crashPoint('repair.written');
    await projection.repaired?.(engine, installed, written.changes, client);
    crashPoint('repair.shown');
    return written;
  });
  return `${result.rows} rows of version ${installed.version} made again from the log: ${result.changed} were other, ${result.removed} should not have been there.`;
}

async function servedBuild(
  pool: Pool,
  projections: readonly Projection[],
  model: string,
): Promise<{ projection: Projection; installed: Installed }> {
  const { rows } = await pool.query(
    'SELECT version, definition FROM engine.serving JOIN engine.version USING (model, version) WHERE model = $1',
    [model],
  );
  const projection = rows[0] && projectionOf(projections, model, rows[0].definition);
  if (!projection)
    throw new Refused(`The served version of ${model} is of another definition than this code has.`);
  return { projection, installed: await openBuild(pool, projection.model, rows[0].version) };
}

/** As stretches up to where the model stands. */
async function savedPositions(pool: Pool | Client, { consumer }: Installed): Promise<Stretch[]> {
  const { rows } = await pool.query(
    'SELECT topic, partition, position FROM engine.position WHERE consumer = $1 ORDER BY topic, partition',
    [consumer],
  );
  return rows.map((row) => ({
    topic: row.topic,
    partition: row.partition,
    from: 0n,
    to: BigInt(row.position),
  }));
}

/** No round of the model commits after this until the transaction ends. Gives up to where its rows go. */
async function holdStill(
  client: Client,
  engine: Engine,
  projection: Projection,
  installed: Installed,
): Promise<Stretch[]> {
  await client.query('SELECT FROM engine.position WHERE consumer = $1 ORDER BY topic, partition FOR UPDATE', [
    installed.consumer,
  ]);
  const held = await savedPositions(client, installed);
  if (!projection.rowsAhead) return held;
  // Its rows may be ahead of its positions, by no more than the log holds; what is done ahead is done again by nobody.
  const heads = await fetchHeads(engine.kafka, engine.prefix, installed.model.topics);
  return held.map((s) => ({ ...s, to: heads.get(s.topic)![s.partition]! }));
}

function tails(from: readonly Stretch[], ends: readonly Stretch[]): Stretch[] {
  const read = new Map(from.map((s) => [`${s.topic}/${s.partition}`, s.to]));
  return ends.map((end) => ({ ...end, from: read.get(`${end.topic}/${end.partition}`) ?? 0n }));
}

async function read(engine: Engine, stretches: readonly Stretch[], fold: ScopeFold): Promise<void> {
  const handle = (records: LogRecord[]): Promise<void> => fold.take(records);
  await readLog({ kafka: engine.kafka, prefix: engine.prefix, stretches, handle });
}
