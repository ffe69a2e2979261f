import type { Queryable } from './pool.ts';

/** What a process says of one consumer that it runs. */
export interface MemberReport {
  consumer: string;
  state: 'starting' | 'running' | 'retrying' | 'stopped' | 'paused';
  reason: string | null;
  /** Records that passed in the last ten seconds or so. */
  perSecond: number;
  /** Of each partition held, by `topic/partition`: everything appended before is applied, milliseconds; 0 if unknown. */
  fresh: Record<string, number>;
}

/** Not seen for so long: the process is frozen, cut off or dead. */
export const unseenAfterSeconds = 10;
/** Rows of the dead stay for a while, so that it can be told who ran here last. */
const forgottenAfter = '10 minutes';

/** Says what this process runs now. Touches no position, so it waits for nobody's round. */
export async function reportMembers(
  db: Queryable,
  member: string,
  process: string,
  reports: readonly MemberReport[],
): Promise<void> {
  await db.query(
    `INSERT INTO engine.member (consumer, member, process, state, reason, per_second, fresh, seen_at)
     SELECT n.consumer, $1, $2, n.state, n.reason, n.per_second, n.fresh, now()
     FROM unnest($3::text[], $4::text[], $5::text[], $6::float8[], $7::jsonb[])
       AS n (consumer, state, reason, per_second, fresh)
     ON CONFLICT (consumer, member) DO UPDATE SET state = excluded.state, reason = excluded.reason,
       per_second = excluded.per_second, fresh = excluded.fresh, seen_at = excluded.seen_at`,
    [
      member,
      process,
      reports.map((report) => report.consumer),
      reports.map((report) => report.state),
      reports.map((report) => report.reason),
      reports.map((report) => report.perSecond),
      reports.map((report) => JSON.stringify(report.fresh)),
    ],
  );
  await db.query(
    `DELETE FROM engine.member WHERE (consumer, member) IN (
       SELECT consumer, member FROM engine.member
       WHERE (member = $1 AND consumer <> ALL ($2)) OR seen_at < now() - $3::interval FOR UPDATE SKIP LOCKED)`,
    [member, reports.map((report) => report.consumer), forgottenAfter],
  );
}

/** At an orderly end nothing of this process is left to be missed. */
export async function leaveMembers(db: Queryable, member: string): Promise<void> {
  await db.query('DELETE FROM engine.member WHERE member = $1', [member]);
}

/** The newest event time applied by consumer and `topic/partition`, milliseconds. */
export async function readEventTimes(
  db: Queryable,
  consumers: readonly string[],
): Promise<Map<string, Map<string, number>>> {
  const { rows } = await db.query(
    `SELECT consumer, topic, partition, (extract(epoch FROM event_time) * 1000)::bigint AS event_time
     FROM engine.position WHERE consumer = ANY ($1) AND event_time IS NOT NULL`,
    [consumers],
  );
  const times = new Map<string, Map<string, number>>();
  for (const row of rows) {
    const own = times.get(row.consumer) ?? new Map<string, number>();
    times.set(row.consumer, own.set(`${row.topic}/${row.partition}`, row.event_time));
  }
  return times;
}
