import type { Queryable } from './pool.ts';

/**
 * A stretch that a process was alone with when it died (engine.suspect): the row is there while a round is tried
 * carefully, and goes when the process has survived it.
 */
export interface Suspect {
  topic: string;
  partition: number;
  first: bigint;
  /** Exclusive. */
  end: bigint;
  /** Records in it. */
  records: number;
  /** Times a process died with it, the attempt under way included. */
  deaths: number;
}

/** Written before a careful attempt and durable before it begins, so that a death leaves it behind. */
export async function accuse(pool: Queryable, consumer: string, suspect: Suspect): Promise<void> {
  const { topic, partition, first, end, records, deaths } = suspect;
  await pool.query(
    `INSERT INTO engine.suspect (consumer, topic, partition, first, "end", step, deaths) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (consumer, topic, partition)
     DO UPDATE SET first = excluded.first, "end" = excluded."end", step = excluded.step, deaths = excluded.deaths`,
    [consumer, topic, partition, first.toString(), end.toString(), records, deaths],
  );
}

/** The process has survived: with `deaths` from earlier attempts the suspicion stands, without any it goes. */
export async function excuse(
  pool: Queryable,
  consumer: string,
  { topic, partition }: { topic: string; partition: number },
  deaths: number,
): Promise<void> {
  const place = [consumer, topic, partition];
  if (deaths === 0)
    await pool.query(
      'DELETE FROM engine.suspect WHERE consumer = $1 AND topic = $2 AND partition = $3',
      place,
    );
  else
    await pool.query(
      'UPDATE engine.suspect SET deaths = $4 WHERE consumer = $1 AND topic = $2 AND partition = $3',
      [...place, deaths],
    );
}

export async function readSuspects(pool: Queryable, consumer: string): Promise<Suspect[]> {
  const { rows } = await pool.query(
    'SELECT topic, partition, first, "end", step AS records, deaths FROM engine.suspect WHERE consumer = $1',
    [consumer],
  );
  return rows.map((row) => ({ ...row, first: BigInt(row.first), end: BigInt(row.end) }));
}
