import type { Queryable } from '../../platform/postgres/pool.ts';
import type { FramePayload } from '../../schemas/notify/frame.ts';
import type { AddressedFrame, TouchedFacts } from './stream.model.ts';

/** A frame with its number in its user's stream. */
export interface NumberedFrame {
  userId: string;
  seq: number;
  payload: FramePayload;
}

/**
 * Posts of followed authors that came to show by this round's facts, for each follower since before the post. Read
 * under the authors' locks after the rows were written, so that of a post, its media and a follow the last tells.
 */
export async function postFrames(
  client: Queryable,
  s: string,
  touched: TouchedFacts,
): Promise<AddressedFrame[]> {
  const { posts, media, pairs } = touched;
  if (posts.length + media.length + pairs.length === 0) return [];
  const { rows } = await client.query(
    `WITH told AS (
       SELECT p.post_id, f.follower_id FROM ${s}.stream_post p
       JOIN ${s}.stream_follow f ON f.followee_id = p.author_id AND f.live AND f.followed_at <= p.event_time
       WHERE p.live AND (p.post_id = ANY($1::uuid[]) OR p.media_ids && $2::uuid[])
       UNION
       SELECT p.post_id, f.follower_id FROM unnest($3::uuid[], $4::uuid[]) AS n (follower_id, followee_id)
       JOIN ${s}.stream_follow f USING (follower_id, followee_id)
       JOIN ${s}.stream_post p ON p.author_id = f.followee_id AND p.live AND p.event_time >= f.followed_at
       WHERE f.live
     )
     SELECT t.follower_id, p.post_id, p.author_id, p.trace_id, p.event_id, p.event_time
     FROM told t JOIN ${s}.stream_post p USING (post_id)
     WHERE NOT EXISTS (
       SELECT FROM unnest(p.media_ids) AS m (media_id) LEFT JOIN ${s}.stream_media r USING (media_id)
       WHERE r.live IS NOT TRUE)`,
    [posts, media, pairs.map((pair) => pair.follower), pairs.map((pair) => pair.followee)],
  );
  return rows.map((row) => ({
    userId: row.follower_id,
    eventId: row.event_id,
    payload: {
      type: 'post.published',
      time: row.event_time.toISOString(),
      traceId: row.trace_id,
      data: { postId: row.post_id, authorId: row.author_id },
    },
  }));
}

/** Makes the missing ones: one that another transaction is just making would be waited for by nothing else. */
export async function lockHeads(client: Queryable, userIds: readonly string[]): Promise<void> {
  await client.query(
    `INSERT INTO stream.head AS h (user_id, seq) SELECT DISTINCT u, 0 FROM unnest($1::uuid[]) AS u ORDER BY u
     ON CONFLICT (user_id) DO UPDATE SET seq = h.seq`,
    [userIds],
  );
}

/**
 * Numbers the frames that their users have not had, and keeps them: of one that is said twice at once what is newest, as
 * in every model. The users' heads are locked in one order before
 * the look for what is there, so two processes never number the same.
 */
export async function keepFrames(
  client: Queryable,
  frames: readonly AddressedFrame[],
): Promise<NumberedFrame[]> {
  if (frames.length === 0) return [];
  await lockHeads(
    client,
    frames.map((frame) => frame.userId),
  );
  const { rows } = await client.query(
    `WITH asked AS (
       SELECT DISTINCT ON (user_id, event_id) * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::jsonb[])
         AS n (user_id, event_id, event_time, payload)
       ORDER BY user_id, event_id, event_time DESC
     ), fresh AS (
       SELECT a.*, row_number() OVER (PARTITION BY user_id ORDER BY event_time, event_id) AS n FROM asked a
       WHERE NOT EXISTS (SELECT FROM stream.entry e WHERE e.user_id = a.user_id AND e.event_id = a.event_id)
     ), heads AS (
       UPDATE stream.head h SET seq = h.seq + c.frames
       FROM (SELECT user_id, count(*) AS frames FROM fresh GROUP BY user_id) AS c
       WHERE h.user_id = c.user_id RETURNING h.user_id, old.seq AS base
     )
     INSERT INTO stream.entry (user_id, seq, event_id, event_time, payload)
     SELECT user_id, base + n, event_id, event_time, payload FROM fresh JOIN heads USING (user_id)
     RETURNING user_id, seq, payload`,
    [
      frames.map((frame) => frame.userId),
      frames.map((frame) => frame.eventId),
      frames.map((frame) => frame.payload.time),
      frames.map((frame) => JSON.stringify(frame.payload)),
    ],
  );
  return rows
    .map((row) => ({ userId: row.user_id, seq: row.seq, payload: row.payload }))
    .sort((a, b) => a.seq - b.seq);
}
