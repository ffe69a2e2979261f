import type { Queryable } from '../../platform/postgres/pool.ts';
import type { Redis } from '../../platform/redis/redis.ts';
import { streamKey } from '../../schemas/notify/frame.ts';
import type { JudgedFrame } from './session.ts';
import { hideWhatNoLongerShows, type ShowsParts } from './still-shows.ts';
import { type WireFrame, wireFrame, wireFrameOf } from './wire.ts';

export interface Bounds {
  /** The newest frame; 0 when there was never one. */
  head: number;
  /** The oldest that is still kept; head + 1 when none is. */
  oldest: number;
}

export interface History {
  bounds(userId: string): Promise<Bounds>;
  /** Frames from after + 1 on, without a hole, as many as one source has of them up to upTo. */
  page(userId: string, after: number, upTo: number): Promise<JudgedFrame[]>;
}

export interface HistoryParts extends ShowsParts {
  redis: Redis;
  prefix: string;
}

/** A user's frames of the past: from Redis while it has them without a hole, else from Postgres (DESIGN §8). */
export function openHistory(parts: HistoryParts): History {
  return {
    bounds: (userId) => bounds(parts.pool, userId),
    async page(userId, after, upTo) {
      const recent = await fromRedis(parts, userId, after, upTo);
      const frames = recent.length > 0 ? recent : await fromPostgres(parts.pool, userId, after, upTo);
      parts.metrics.pages.inc({ source: recent.length > 0 ? 'redis' : 'postgres' });
      const told = frames.map((frame) => ({ viewerId: userId, frame }));
      return hideWhatNoLongerShows(parts, told);
    },
  };
}

async function bounds(pool: Queryable, userId: string): Promise<Bounds> {
  const { rows } = await pool.query<{ head: number | null; oldest: number | null }>(
    `SELECT (SELECT seq FROM stream.head WHERE user_id = $1) AS head,
            (SELECT min(seq) FROM stream.entry WHERE user_id = $1) AS oldest`,
    [userId],
  );
  const head = rows[0]?.head ?? 0;
  return { head, oldest: rows[0]?.oldest ?? head + 1 };
}

/** The run of frames that follows `after` at once; empty when Redis is away or begins later. */
async function fromRedis(
  { redis, prefix }: HistoryParts,
  userId: string,
  after: number,
  upTo: number,
): Promise<WireFrame[]> {
  if (redis.status !== 'ready') return [];
  try {
    const key = streamKey(prefix, userId);
    const entries = await redis.xrange(key, `${after + 1}-0`, `${upTo}-0`, 'COUNT', upTo - after);
    return unbrokenRun(entries, after);
  } catch {
    return [];
  }
}

function unbrokenRun(entries: [id: string, fields: string[]][], after: number): WireFrame[] {
  const run: WireFrame[] = [];
  for (const [, fields] of entries) {
    const frame = wireFrame(fields[fields.indexOf('e') + 1] ?? '');
    if (frame?.seq !== after + run.length + 1) break;
    run.push(frame);
  }
  return run;
}

async function fromPostgres(
  pool: Queryable,
  userId: string,
  after: number,
  upTo: number,
): Promise<WireFrame[]> {
  const { rows } = await pool.query<{ seq: number; payload: Record<string, unknown> }>(
    'SELECT seq, payload FROM stream.entry WHERE user_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq',
    [userId, after, upTo],
  );
  return rows.map((row) => wireFrameOf(row.seq, row.payload));
}
