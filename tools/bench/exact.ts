import { likeFacts, mapped } from './likes.ts';
import type { BenchWorld } from './world.ts';

/** A fast wrong answer is none: every like is there, and every count is what the rows say. */
export async function mustBeExact({ owner }: BenchWorld, schema: string, likes: number): Promise<void> {
  const { rows } = await owner.query(
    `SELECT (SELECT count(*) FROM ${schema}.post_like) AS rows,
            (SELECT count(*) FROM ${schema}.post_like WHERE live) AS live,
            (SELECT sum(likes)::bigint FROM ${schema}.post_like_count) AS counted,
            (SELECT count(*) FROM (SELECT post_id, count(*) AS n FROM ${schema}.post_like WHERE live GROUP BY 1) a
             JOIN ${schema}.post_like_count c USING (post_id) WHERE c.likes <> a.n) AS wrong`,
  );
  const { rows: found, live, counted, wrong } = rows[0];
  const expected = new Set(mapped(likeFacts(likes), ({ postId, likerId }) => postId + likerId)).size;
  if (found !== expected || live !== counted || wrong !== 0)
    throw new Error(
      `${found} rows of ${expected}, ${live} live and ${counted} counted, ${wrong} counters wrong.`,
    );
}
