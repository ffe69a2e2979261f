import type { LogRecord, PartitionBatch } from '../../../platform/log/consumer.ts';
import { readLog, type Stretch } from '../../../platform/log/read-log.ts';
import { fetchHeads } from '../../../platform/log/topics.ts';
import { type Client, transaction } from '../../../platform/postgres/pool.ts';
import type { PositionStep } from '../../../platform/postgres/positions.ts';
import { crashPoint } from '../../../platform/process/crash-points.ts';
import { type Applied, applyRound, type Installed, type RoundKind } from '../apply.ts';
import type { Engine } from '../runner.ts';
import { type Build, BuildLost, holdBuild } from './builds.ts';
import type { Progress } from './progress.ts';
import { beginStaging, isWhole, stage } from './staging.ts';

export interface FillOptions {
  engine: Engine;
  installed: Installed;
  build: Build;
  holder: string;
  progress: Progress;
  signal: AbortSignal;
  /** Places of records that are known to kill whoever applies them (see inheritKillers). */
  killers: ReadonlySet<string>;
  /** Resolves at once, or when the model is not paused any more. */
  unpaused(): Promise<void>;
}

/** Records of one transaction of the bulk path. */
const chunkRecords = 25_000;

/**
 * Sets how far the bulk path goes: up to where the log ends now. What comes after is left to the ordinary path. After
 * a crash of Postgres the staging tables are empty, and the build begins again.
 */
export async function aim({ engine, installed, build, holder }: FillOptions): Promise<void> {
  const { model, schema } = installed;
  const heads = await fetchHeads(engine.kafka, engine.prefix, model.topics);
  await transaction(engine.pool, async (client) => {
    await holdBuild(client, holder, build, 'filling');
    const whole = await isWhole(client, schema);
    if (!whole) await beginStaging(client, installed);
    const partitions = [...heads].flatMap(([topic, ends]) =>
      ends.map((end, partition) => ({ topic, partition, end })),
    );
    await client.query(
      `INSERT INTO engine.rebuild_partition AS p (model, version, topic, partition, position, target)
       SELECT $1, $2, n.topic, n.partition, 0, n.target
       FROM unnest($3::text[], $4::int[], $5::bigint[]) AS n (topic, partition, target)
       ON CONFLICT (model, version, topic, partition)
       DO UPDATE SET target = excluded.target, position = CASE WHEN $6 THEN p.position ELSE 0 END`,
      [
        build.model,
        build.version,
        partitions.map((p) => p.topic),
        partitions.map((p) => p.partition),
        partitions.map((p) => p.end.toString()),
        whole,
      ],
    );
  });
}

/**
 * Parks for this build what other versions of the model have found to kill a process, so that it is not tried on the
 * whole process once more. Gives the places of these records.
 */
export async function inheritKillers({
  engine,
  installed,
}: Pick<FillOptions, 'engine' | 'installed'>): Promise<Set<string>> {
  const { rows } = await engine.pool.query(
    `INSERT INTO engine.parked (consumer, topic, partition, "offset", key, value, type, traceparent, event_id, code, detail)
     SELECT DISTINCT ON (topic, partition, "offset")
       $1, topic, partition, "offset", key, value, type, traceparent, event_id, code, detail
     FROM engine.parked WHERE code = 'kills_process' AND consumer ~ ('^' || $2 || '\\.v[0-9]+$')
     ON CONFLICT (consumer, topic, partition, "offset") DO UPDATE SET code = excluded.code
     RETURNING topic, partition, "offset"`,
    [installed.consumer, installed.model.name],
  );
  return new Set(rows.map((row) => `${row.topic}/${row.partition}/${row.offset}`));
}

const placeOf = ({ topic, partition, offset }: LogRecord): string => `${topic}/${partition}/${offset}`;

/** What of the log is still to be filled. */
export async function leftToFill({
  engine,
  build,
}: Pick<FillOptions, 'engine' | 'build'>): Promise<Stretch[]> {
  const { rows } = await engine.pool.query(
    'SELECT topic, partition, position, target FROM engine.rebuild_partition WHERE model = $1 AND version = $2 ORDER BY 1, 2',
    [build.model, build.version],
  );
  return rows.map((row) => ({
    topic: row.topic,
    partition: row.partition,
    from: BigInt(row.position),
    to: BigInt(row.target),
  }));
}

/**
 * Reads what is left of the log and stages it, chunk by chunk, each in one transaction with its positions. While one
 * chunk is in Postgres the next is read and decoded. Throws BuildLost when the build is not ours any more.
 */
export async function fill(options: FillOptions): Promise<void> {
  const { engine, signal } = options;
  let gathered: LogRecord[] = [];
  let written: Promise<void> = Promise.resolve();
  const flush = async (): Promise<void> => {
    const chunk = gathered;
    const before = written;
    gathered = [];
    await options.unpaused();
    written = stageChunk(options, chunk, before);
    // Whoever waits for it next tells; nobody may be missing in between.
    written.catch(() => {});
    await before;
  };
  // Laid over the records by applyRound; none is made while a version is being filled.
  await engine.rulings.refresh();
  try {
    await readLog({
      kafka: engine.kafka,
      prefix: engine.prefix,
      stretches: await leftToFill(options),
      signal,
      async handle(records) {
        gathered.push(...records);
        if (gathered.length >= chunkRecords) await flush();
      },
    });
    if (gathered.length > 0) await flush();
  } finally {
    await written;
  }
}

async function stageChunk(
  options: FillOptions,
  records: readonly LogRecord[],
  before: Promise<void>,
): Promise<void> {
  const { engine, installed, progress, killers } = options;
  const kind: RoundKind<void> = {
    // It waits for the chunk before it.
    idleLimitMs: 0,
    async fence(client, _consumer, steps) {
      await before;
      await moveOn(client as Client, options, steps);
    },
    write: stage,
    inTransaction: async () => crashPoint('rebuild.staged'),
    committed: async (part) => note(progress, part),
  };
  await applyRound(engine, installed, batchesOf(records, killers), kind);
  for (const { topic, partition, value } of records) progress.read(topic, partition, value.length);
  crashPoint('rebuild.filled');
}

function note(progress: Progress, { steps, parkings }: Applied<void>): void {
  for (const { from, to } of steps) progress.applied(Number(to - from));
  for (const { record } of parkings) progress.failed(record.topic, record.partition);
}

/** The build's fence: its row must be ours, and each partition where this chunk begins. */
async function moveOn(
  client: Client,
  { build, holder }: FillOptions,
  steps: readonly PositionStep[],
): Promise<void> {
  await client.query('SET LOCAL synchronous_commit = off');
  await holdBuild(client, holder, build, 'filling');
  await client.query(
    'UPDATE engine.rebuild SET deaths = 0 WHERE model = $1 AND version = $2 AND deaths > 0',
    [build.model, build.version],
  );
  const { rowCount } = await client.query(
    `UPDATE engine.rebuild_partition p SET position = n.next
     FROM unnest($3::text[], $4::int[], $5::bigint[], $6::bigint[]) AS n (topic, partition, expected, next)
     WHERE p.model = $1 AND p.version = $2 AND p.topic = n.topic AND p.partition = n.partition AND p.position = n.expected`,
    [
      build.model,
      build.version,
      steps.map((s) => s.topic),
      steps.map((s) => s.partition),
      steps.map((s) => s.from.toString()),
      steps.map((s) => s.to.toString()),
    ],
  );
  if (rowCount !== steps.length)
    throw new BuildLost(`version ${build.version} of ${build.model} was moved by another`);
}

function batchesOf(records: readonly LogRecord[], killers: ReadonlySet<string>): PartitionBatch[] {
  const groups = Map.groupBy(records, ({ topic, partition }) => `${topic}/${partition}`);
  return [...groups.values()].map((group) => {
    const { topic, partition, offset } = group[0]!;
    const nextOffset = group.at(-1)!.offset + 1n;
    const safe = killers.size === 0 ? group : group.filter((record) => !killers.has(placeOf(record)));
    return { topic, partition, generation: 0n, firstOffset: offset, nextOffset, records: safe };
  });
}
