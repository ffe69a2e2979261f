import { randomBytes } from 'node:crypto';
import { forgetPosition } from '../../../command-api/guards/idempotency.ts';
import { failure } from '../../../deploy/native/failure.ts';
import type { Kafka } from '../../../platform/log/kafka.ts';
import { fetchHeads } from '../../../platform/log/topics.ts';
import type { RecordPlace } from '../../../platform/postgres/parked.ts';
import { type Client, type Pool, transaction } from '../../../platform/postgres/pool.ts';
import type { Config } from '../../../platform/process/config.ts';
import type { MasterKey } from '../../../platform/vault/master-key.ts';
import { topics } from '../../../schemas/topics.ts';
import { type CopyReport, copyGeneration } from './copy.ts';
import { mustBeLevel, mustBeQuiet, mustNotBuild } from './level.ts';
import { findPlaces, type Moved } from './places.ts';
import { writeGeneration } from './state.ts';
import type { Generation } from './topic.ts';

export interface SwitchReport extends CopyReport {
  /** Dead letters whose places were changed. */
  parked: number;
  /** Models that are built again once the projectors run. */
  rebuilds: string[];
}

export interface SwitchOptions {
  config: Config;
  pool: Pool;
  kafka: Kafka;
  master: MasterKey;
  to: Generation;
  askedBy: string;
  progress(copied: number): void;
}

/**
 * Leads this database to another generation of the log. Nothing may append meanwhile, and everybody must have applied
 * everything: so the tables are those of the new generation too, every position becomes the end of it, and no effect is
 * repeated. Whatever else names places of the old one goes or is changed, in one transaction.
 */
export async function switchGeneration(options: SwitchOptions): Promise<SwitchReport> {
  const { config, pool, kafka, to } = options;
  await mustBeQuiet(pool);
  await mustNotBuild(pool);
  const copy = await copyGeneration({ ...options, afresh: false });
  const before = await fetchHeads(kafka, config.prefix, topics);
  mustBeProved(before, copy);
  await mustBeLevel(pool, before);
  const moved = await findParked(options);
  const heads = await fetchHeads(kafka, to.prefix, topics);
  return transaction(pool, async (client) => {
    await client.query('LOCK TABLE engine.position IN EXCLUSIVE MODE');
    await mustBeQuiet(client);
    await mustBeLevel(client, before);
    await moveParked(client, moved);
    await movePositions(client, heads);
    await forgetPlaces(client);
    await forgetAnswers(client, options.master);
    await client.query(`UPDATE engine.setting SET value = $1 WHERE name = 'position_key'`, [randomBytes(32)]);
    await writeGeneration(client, { ...to, since: new Date().toISOString() });
    const rebuilds = copy.rulings > 0 ? await orderRulings(client, options.askedBy) : [];
    await note(client, options);
    return { ...copy, parked: moved.length, rebuilds };
  });
}

/** What was proved is all there is: nobody has appended since. */
function mustBeProved(heads: ReadonlyMap<string, readonly bigint[]>, { records, rulings }: CopyReport): void {
  for (const [topic, ends] of heads) {
    const held = ends.reduce((sum, end) => sum + Number(end), 0);
    if (held === (records[topic] ?? rulings)) continue;
    throw failure(
      `${topic} has grown to ${held} records while the last of it was copied.`,
      'Something still appends: find and stop it, then switch again.',
    );
  }
}

type MovedLetter = RecordPlace & { to: RecordPlace };

async function findParked({ config, pool, kafka, to }: SwitchOptions): Promise<MovedLetter[]> {
  const { rows } = await pool.query('SELECT DISTINCT topic, partition, "offset" FROM engine.parked');
  const places: RecordPlace[] = rows.map((row) => ({ ...row, offset: BigInt(row.offset) }));
  if (places.length === 0) return [];
  const moved: Moved = await findPlaces(kafka, { old: config, new: to }, places);
  return places.map((place) => ({ ...place, to: moved(place) }));
}

/** Out of the way first: the new place of one may be the old place of another. */
async function moveParked(client: Client, letters: readonly MovedLetter[]): Promise<void> {
  const columns = `unnest($1::text[], $2::int[], $3::bigint[], $4::int[], $5::bigint[])
    AS n (topic, partition, "offset", to_partition, to_offset)`;
  const params = [
    letters.map(({ topic }) => topic),
    letters.map(({ partition }) => partition),
    letters.map(({ offset }) => offset.toString()),
    letters.map(({ to }) => to.partition),
    letters.map(({ to }) => to.offset.toString()),
  ];
  await client.query(
    `UPDATE engine.parked p SET partition = -1 - n.to_partition, "offset" = n.to_offset FROM ${columns}
     WHERE (p.topic, p.partition, p."offset") = (n.topic, n.partition, n."offset")`,
    params,
  );
  await client.query('UPDATE engine.parked SET partition = -1 - partition WHERE partition < 0');
}

/** Every consumer stands at the end of every topic that it takes, under a generation that nobody was given. */
async function movePositions(client: Client, heads: ReadonlyMap<string, readonly bigint[]>): Promise<void> {
  const ends = [...heads].flatMap(([topic, offsets]) =>
    offsets.map((end, partition) => ({ topic, partition, end })),
  );
  await client.query(
    `CREATE TEMPORARY TABLE stood ON COMMIT DROP AS
     SELECT consumer, topic, max(generation) + 1 AS generation, max(event_time) AS event_time
     FROM engine.position GROUP BY 1, 2`,
  );
  await client.query('DELETE FROM engine.position');
  await client.query(
    `INSERT INTO engine.position (consumer, topic, partition, position, generation, event_time)
     SELECT s.consumer, s.topic, n.partition, n."end", s.generation, s.event_time FROM stood s
     JOIN unnest($1::text[], $2::int[], $3::bigint[]) AS n (topic, partition, "end") USING (topic)`,
    [
      ends.map(({ topic }) => topic),
      ends.map(({ partition }) => partition),
      ends.map(({ end }) => end.toString()),
    ],
  );
}

/** What is over, and names places that nobody can look up any more. */
async function forgetPlaces(client: Client): Promise<void> {
  for (const table of ['suspect', 'member', 'rebuild_partition'])
    await client.query(`DELETE FROM engine.${table}`);
  // A repeat of a registration is answered with a position: one that everybody has passed.
  await client.query('UPDATE vault.outbox SET partition = 0, "offset" = 0 WHERE relayed_at IS NOT NULL');
}

const answersAtOnce = 1_000;

/** Answers that are kept for repeats carry a position, sealed. */
async function forgetAnswers(client: Client, master: MasterKey): Promise<void> {
  await client.query(
    'DECLARE answers NO SCROLL CURSOR FOR SELECT actor, route, key, answer FROM vault.idempotency WHERE answer IS NOT NULL',
  );
  for (;;) {
    const { rows } = await client.query(`FETCH ${answersAtOnce} FROM answers`);
    if (rows.length === 0) break;
    await client.query(
      `UPDATE vault.idempotency i SET answer = n.answer
       FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) AS n (actor, route, key, answer)
       WHERE (i.actor, i.route, i.key) = (n.actor, n.route, n.key)`,
      [
        rows.map((row) => row.actor),
        rows.map((row) => row.route),
        rows.map((row) => row.key),
        rows.map((row) => forgetPosition(master, row, row.answer)),
      ],
    );
  }
  await client.query('CLOSE answers');
}

/** The rows of rulings say places: those of the old generation. */
async function orderRulings(client: Client, askedBy: string): Promise<string[]> {
  const { rows } = await client.query(
    `INSERT INTO engine.command (id, kind, model, asked_by)
     SELECT uuidv7(), 'rebuild', model, $1 FROM engine.serving WHERE model = 'rulings' RETURNING model`,
    [askedBy],
  );
  return rows.map((row) => row.model);
}

async function note(client: Client, { config, to, askedBy }: SwitchOptions): Promise<void> {
  await client.query(
    `INSERT INTO engine.command (id, kind, model, arguments, asked_by, taken_at, done_at, outcome, detail)
     VALUES (uuidv7(), 'generation', 'all', $1, $2, now(), now(), 'done', $3)`,
    [
      JSON.stringify({ from: { prefix: config.prefix, partitions: config.partitions }, to }),
      askedBy,
      `The log is "${to.prefix}" with ${to.partitions} partitions from here on.`,
    ],
  );
}
