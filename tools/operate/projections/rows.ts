import { type Pool, type Queryable, transaction } from '../../../platform/postgres/pool.ts';
import { type RebuildRow, readRebuilds } from '../../../platform/postgres/rebuilds.ts';

export interface VersionRow {
  model: string;
  version: number;
  definition: number;
  state: 'filling' | 'projected' | 'dropping';
  served: boolean;
  /** Served before; a rollback goes there. */
  previous: boolean;
}

export interface PositionRow {
  consumer: string;
  topic: string;
  partition: number;
  position: bigint;
  /** Newest event time applied, milliseconds. */
  eventTime: number | null;
  /** When it last moved, milliseconds. */
  movedAt: number;
}

export interface MemberRow {
  consumer: string;
  process: string;
  state: string;
  reason: string | null;
  perSecond: number;
  /** By `topic/partition`, of those it holds; 0: not known. */
  fresh: Record<string, number>;
  /** Seconds since its last report, by the clock of Postgres. */
  unseen: number;
}

export interface PauseRow {
  model: string;
  by: string;
  at: Date;
}

/** What Postgres knows of all projections, of one moment. */
export interface EngineRows {
  versions: VersionRow[];
  positions: PositionRow[];
  members: MemberRow[];
  pauses: PauseRow[];
  rebuilds: RebuildRow[];
  /** Records parked, by consumer. */
  parked: Map<string, number>;
}

/** One snapshot; takes no lock, so it waits for nobody and nobody for it. */
export function readEngine(pool: Pool): Promise<EngineRows> {
  return transaction(pool, async (db) => {
    await db.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return {
      versions: await readVersions(db),
      positions: await readPositions(db),
      members: await readMembers(db),
      pauses: (await db.query('SELECT model, paused_by AS by, paused_at AS at FROM engine.pause')).rows,
      rebuilds: await readRebuilds(db),
      parked: await countParked(db),
    };
  });
}

/** Whatever is consumed here. */
export async function readTopics(db: Queryable): Promise<string[]> {
  const { rows } = await db.query(
    'SELECT topic FROM engine.position UNION SELECT topic FROM engine.rebuild_partition ORDER BY 1',
  );
  return rows.map((row) => row.topic);
}

async function readVersions(db: Queryable): Promise<VersionRow[]> {
  const { rows } = await db.query(
    `SELECT v.model, v.version, v.definition, v.state, s.version IS NOT DISTINCT FROM v.version AS served,
       s.previous IS NOT DISTINCT FROM v.version AS previous
     FROM engine.version v LEFT JOIN engine.serving s USING (model) ORDER BY v.model, v.version`,
  );
  return rows;
}

async function readPositions(db: Queryable): Promise<PositionRow[]> {
  const { rows } = await db.query(
    `SELECT consumer, topic, partition, position, (extract(epoch FROM event_time) * 1000)::bigint AS "eventTime",
       (extract(epoch FROM updated_at) * 1000)::bigint AS "movedAt"
     FROM engine.position ORDER BY consumer, topic, partition`,
  );
  return rows.map((row) => ({ ...row, position: BigInt(row.position) }));
}

async function readMembers(db: Queryable): Promise<MemberRow[]> {
  const { rows } = await db.query(
    `SELECT consumer, process, state, reason, per_second AS "perSecond", fresh,
       extract(epoch FROM clock_timestamp() - seen_at)::float8 AS unseen
     FROM engine.member ORDER BY consumer, process`,
  );
  return rows;
}

async function countParked(db: Queryable): Promise<Map<string, number>> {
  const { rows } = await db.query(
    'SELECT consumer, count(*) AS records FROM engine.parked GROUP BY consumer',
  );
  return new Map(rows.map((row) => [row.consumer, row.records]));
}
