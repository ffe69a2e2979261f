import type { Queryable } from './pool.ts';

export interface RebuildPartition {
  topic: string;
  partition: number;
  position: bigint;
  target: bigint;
  bytes: number;
  errors: number;
}

/** A build under way or ended, as its row says (engine.rebuild). */
export interface RebuildRow {
  model: string;
  version: number;
  state: string;
  detail: string | null;
  askedBy: string;
  askedAt: Date;
  autoSwitch: boolean;
  /** Until when somebody works on it; null when nobody has taken it. */
  heldUntil: Date | null;
  perSecond: number;
  etaSeconds: number | null;
  errors: number;
  partitions: RebuildPartition[];
}

const ended = ['switched', 'cancelled', 'failed'];

export function isOpen(rebuild: Pick<RebuildRow, 'state'>): boolean {
  return !ended.includes(rebuild.state);
}

/** Every build there is a row of, with its partitions; two statements, no lock. */
export async function readRebuilds(db: Queryable): Promise<RebuildRow[]> {
  const builds = await db.query(
    `SELECT model, version, state, detail, asked_by, asked_at, auto_switch, held_until, per_second, eta_seconds, errors
     FROM engine.rebuild ORDER BY model, version`,
  );
  const parts = await db.query(
    'SELECT model, version, topic, partition, position, target, bytes, errors FROM engine.rebuild_partition ORDER BY 1, 2, 3, 4',
  );
  return builds.rows.map((row) => ({
    model: row.model,
    version: row.version,
    state: row.state,
    detail: row.detail,
    askedBy: row.asked_by,
    askedAt: row.asked_at,
    autoSwitch: row.auto_switch,
    heldUntil: row.held_until,
    perSecond: row.per_second,
    etaSeconds: row.eta_seconds,
    errors: row.errors,
    partitions: parts.rows
      .filter((part) => part.model === row.model && part.version === row.version)
      .map((part) => ({
        topic: part.topic,
        partition: part.partition,
        position: BigInt(part.position),
        target: BigInt(part.target),
        bytes: part.bytes,
        errors: part.errors,
      })),
  }));
}
