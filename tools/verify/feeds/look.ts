import type { Client, Pool } from '../../../platform/postgres/pool.ts';
import { endSnapshot, readState, type Verified } from '../snapshot.ts';
import { type Entry, type Follow, mostOfAnAuthor } from './feeds.ts';

/** How feeds are served, and the tables that they follow from, as of one moment. */
export interface Look {
  /** Next offset by `topic/partition`. The rows may be ahead of it by the round under way. */
  positions: ReadonlyMap<string, number>;
  /** Names the set of timelines in Redis that is whole. */
  epoch: string;
  /** Authors whose posts are pulled when a feed is read. */
  pulled: ReadonlySet<string>;
  /** The follows of these readers, and the posts of everybody in their feeds. */
  factsOf(
    readers: readonly string[],
  ): Promise<{ follows: Map<string, Follow[]>; posts: Map<string, Entry[]> }>;
  close(): Promise<void>;
}

export async function openLook(pool: Pool, { state }: Verified): Promise<Look> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { positions } = await readState(client, state);
    const epoch = await client.query(`SELECT epoch FROM ${state.schema}.timeline_state`);
    const pulled = await client.query(`SELECT author_id FROM ${state.schema}.timeline_pulled`);
    return {
      positions,
      epoch: epoch.rows[0]?.epoch ?? '',
      pulled: new Set(pulled.rows.map((row) => row.author_id as string)),
      factsOf: (readers) => factsOf(client, state.schema, readers),
      close: () => endSnapshot(client),
    };
  } catch (error) {
    await endSnapshot(client);
    throw error;
  }
}

const ms = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::bigint`;

async function factsOf(client: Client, schema: string, readers: readonly string[]) {
  const edges = await client.query(
    `SELECT follower_id, followee_id, ${ms('followed_at')} AS since FROM ${schema}.timeline_follow
     WHERE live AND follower_id = ANY($1::uuid[])`,
    [readers],
  );
  const follows = new Map<string, Follow[]>(readers.map((reader) => [reader, []]));
  for (const { follower_id, followee_id, since } of edges.rows)
    follows.get(follower_id)!.push({ authorId: followee_id, since });
  const authors = new Set([...readers, ...edges.rows.map((row) => row.followee_id as string)]);
  const { rows } = await client.query(
    `SELECT author_id, p.post_id, ${ms('p.event_time')} AS at
     FROM unnest($1::uuid[]) AS a (author_id) CROSS JOIN LATERAL (
       SELECT post_id, event_time FROM ${schema}.timeline_post t WHERE t.author_id = a.author_id AND live
       ORDER BY event_time DESC, post_id DESC LIMIT ${mostOfAnAuthor}) AS p
     ORDER BY p.event_time DESC, p.post_id DESC`,
    [[...authors]],
  );
  const posts = new Map<string, Entry[]>([...authors].map((author) => [author, []]));
  for (const { author_id, post_id, at } of rows)
    posts.get(author_id)!.push({ postId: post_id, authorId: author_id, at });
  return { follows, posts };
}
