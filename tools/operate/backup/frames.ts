import type { Queryable } from '../../../platform/postgres/pool.ts';
import type { Redis } from '../../../platform/redis/redis.ts';
import { framesOf } from '../../../projectors/notify/stream.model.ts';
import type { Event } from '../../../schemas/generated/events.ts';
import { type FramePayload, streamKey } from '../../../schemas/notify/frame.ts';
import { scanKeys } from './redis-keys.ts';

/*
 * Frames that people were told of since the backup. Postgres has lost their numbers; Redis may still hold them, without
 * the events that made them, which the log has. With both put together the reactor finds them told already and goes on
 * behind them: nobody gets a frame again under another number.
 */

interface Told {
  userId: string;
  seq: number;
  payload: FramePayload;
}

export interface ToldFrames {
  /** Of the log, since the reactor's restored positions. */
  note(event: Event): void;
  /** Enters what is known of both sides; for whom that is not everything, Redis must `forget` its own. */
  settle(db: Queryable): Promise<{ frames: number; people: number; forget: string[] }>;
}

/** `facts` is the Postgres schema of the streaming reactor. */
export async function openToldFrames(
  db: Queryable,
  redis: Redis,
  prefix: string,
  facts: string,
): Promise<ToldFrames> {
  const told = await readTold(db, redis, prefix);
  const wanted = new Set([...told.values()].flat().map(nameOf));
  const wantedPosts = new Set([...told.values()].flatMap((frames) => frames.flatMap(postIdOf)));
  const eventIds = new Map<string, string>();
  const postEvents = new Map<string, string>();
  const eventIdOf = (frame: Told): string | undefined =>
    frame.payload.type === 'post.published'
      ? postEvents.get(frame.payload.data.postId)
      : eventIds.get(nameOf(frame));
  return {
    note(event) {
      for (const frame of framesOf(event)) {
        const name = nameOf(frame);
        if (wanted.has(name) && !eventIds.has(name)) eventIds.set(name, frame.eventId);
      }
      if (event.type === 'PostPublished' && wantedPosts.has(event.postId))
        postEvents.set(event.postId, event.meta.id);
    },
    async settle(db) {
      await addKnownPosts(db, facts, wantedPosts, postEvents);
      const known = new Map([...told].map(([userId, frames]) => [userId, leading(frames, eventIdOf)]));
      const entered = [...known.values()].flat();
      await enter(db, entered, eventIdOf);
      const partly = [...told.keys()].filter((id) => known.get(id)!.length < told.get(id)!.length);
      const people = new Set(entered.map(({ userId }) => userId)).size;
      return { frames: entered.length, people, forget: partly.map((userId) => streamKey(prefix, userId)) };
    },
  };
}

/** Frames that Redis has and the restored tables have not, by user, in order. */
async function readTold(db: Queryable, redis: Redis, prefix: string): Promise<Map<string, Told[]>> {
  const told = new Map<string, Told[]>();
  for await (const keys of scanKeys(redis, streamKey(prefix, ''))) {
    const users = keys.map((key) => key.slice(streamKey(prefix, '').length));
    const heads = await readHeads(db, users);
    for (const userId of users) {
      const after = heads.get(userId) ?? 0;
      const entries = await redis.xrange(streamKey(prefix, userId), `${after + 1}-0`, '+');
      if (entries.length > 0)
        told.set(
          userId,
          entries.map((entry) => toldOf(userId, entry)),
        );
    }
  }
  return told;
}

function toldOf(userId: string, [, fields]: [id: string, fields: string[]]): Told {
  const { seq, ...payload } = JSON.parse(fields[fields.indexOf('e') + 1]!);
  return { userId, seq, payload };
}

async function readHeads(db: Queryable, users: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await db.query('SELECT user_id, seq FROM stream.head WHERE user_id = ANY($1::uuid[])', [
    users,
  ]);
  return new Map(rows.map((row) => [row.user_id, row.seq]));
}

/** Posts from before the backup that came to show after it. */
async function addKnownPosts(
  db: Queryable,
  facts: string,
  wanted: ReadonlySet<string>,
  postEvents: Map<string, string>,
): Promise<void> {
  const { rows } = await db.query(
    `SELECT post_id, event_id FROM ${facts}.stream_post WHERE live AND post_id = ANY($1::uuid[])`,
    [[...wanted]],
  );
  for (const { post_id, event_id } of rows) if (!postEvents.has(post_id)) postEvents.set(post_id, event_id);
}

/** The frames that follow the restored ones without a hole, as far as the log knows what made them. */
function leading(frames: readonly Told[], eventIdOf: (frame: Told) => string | undefined): Told[] {
  const first = frames[0]!.seq;
  const end = frames.findIndex((frame, i) => frame.seq !== first + i || eventIdOf(frame) === undefined);
  return end === -1 ? [...frames] : frames.slice(0, end);
}

async function enter(
  db: Queryable,
  frames: readonly Told[],
  eventIdOf: (frame: Told) => string | undefined,
): Promise<void> {
  await db.query(
    `INSERT INTO stream.entry (user_id, seq, event_id, event_time, payload)
     SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::timestamptz[], $5::jsonb[])`,
    [
      frames.map(({ userId }) => userId),
      frames.map(({ seq }) => seq),
      frames.map((frame) => eventIdOf(frame)),
      frames.map(({ payload }) => payload.time),
      frames.map(({ payload }) => JSON.stringify(payload)),
    ],
  );
  await db.query(
    `INSERT INTO stream.head AS h (user_id, seq) SELECT n.user_id, max(n.seq)
     FROM unnest($1::uuid[], $2::bigint[]) AS n (user_id, seq) GROUP BY 1 ORDER BY 1
     ON CONFLICT (user_id) DO UPDATE SET seq = greatest(h.seq, excluded.seq)`,
    [frames.map(({ userId }) => userId), frames.map(({ seq }) => seq)],
  );
}

/** Names a frame by what Redis and the log both say of it. */
function nameOf({ userId, payload }: { userId: string; payload: FramePayload }): string {
  const data = Object.entries(payload.data).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([userId, payload.type, payload.time, payload.traceId, data]);
}

function postIdOf({ payload }: Told): string[] {
  return payload.type === 'post.published' ? [payload.data.postId] : [];
}
