import type { Queryable } from '../../platform/postgres/pool.ts';
import type { TimelineRules } from '../../schemas/content/timeline.keys.ts';
import type { Entry, FanOut, Stretch, Touched } from './timeline.model.ts';

const ms = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::bigint`;

/** A followed author's part of a reader's timeline, as of the follow row f. */
const sliceOf = (s: string, rules: TimelineRules): string => `
  (SELECT p.post_id, p.event_time FROM ${s}.timeline_post p
   WHERE p.author_id = f.followee_id AND p.live AND p.event_time >= f.followed_at
   ORDER BY p.event_time DESC, p.post_id DESC LIMIT ${rules.length})
  UNION ALL
  (SELECT p.post_id, p.event_time FROM ${s}.timeline_post p
   WHERE p.author_id = f.followee_id AND p.live AND p.event_time < f.followed_at
   ORDER BY p.event_time DESC, p.post_id DESC LIMIT ${rules.backfill})`;

const notPulled = (s: string, author: string): string =>
  `NOT EXISTS (SELECT FROM ${s}.timeline_pulled x WHERE x.author_id = ${author})`;

/** Of these authors, or of all, those that have reached the threshold are pulled from now on, and for good. */
export async function markPulled(
  client: Queryable,
  s: string,
  authors: readonly string[] | null,
  threshold: number,
): Promise<void> {
  await client.query(
    `INSERT INTO ${s}.timeline_pulled (author_id)
     SELECT author_id FROM ${s}.timeline_follower_count WHERE ($1::uuid[] IS NULL OR author_id = ANY($1::uuid[])) AND followers > $2
     ORDER BY 1 ON CONFLICT DO NOTHING`,
    [authors, threshold],
  );
}

/** Posts whose readers are read at once without asking how many there are. */
const fewPosts = 5;
/** Entries of one reading, about: they are held in memory and written to Redis together. */
const entriesAtOnce = 50_000;

/** Pairs whose part of a timeline is made again at once: an erasure has one for every follower. */
const pairsAtOnce = 10_000;

/** What a round has touched, in parts that are read and shown one after the other. */
export async function partsOf(pool: Queryable, s: string, touched: Touched): Promise<Touched[]> {
  const { posts, pairs } = touched;
  if (pairs.length > pairsAtOnce) {
    const first = { ...touched, pairs: pairs.slice(0, pairsAtOnce), posts: [] };
    return [first, ...(await partsOf(pool, s, { ...touched, pairs: pairs.slice(pairsAtOnce) }))];
  }
  if (posts.length === 0 || (posts.length <= fewPosts && !touched.removes)) return [touched];
  const { rows } = await pool.query(
    `SELECT p.post_id, p.author_id, p.live, coalesce(c.followers, 0) + 1 AS readers
     FROM ${s}.timeline_post p LEFT JOIN ${s}.timeline_follower_count c USING (author_id)
     WHERE p.post_id = ANY($1::uuid[])`,
    [posts],
  );
  const parts: Touched[] = [{ ...touched, posts: [] }];
  let entries = 0;
  for (const { post_id, author_id, live, readers } of rows) {
    if (!live && readers > entriesAtOnce) {
      for (const followers of await stretchesOf(pool, s, author_id))
        parts.push({ ...touched, pairs: [], posts: [post_id], followers });
      entries = entriesAtOnce;
      continue;
    }
    if (entries > 0 && entries + readers > entriesAtOnce) {
      parts.push({ ...touched, pairs: [], posts: [] });
      entries = 0;
    }
    parts.at(-1)!.posts.push(post_id);
    entries += readers;
  }
  return parts;
}

/** The followers of somebody, in stretches by their ids: a deleted post leaves the timelines of all, pulled or not. */
async function stretchesOf(pool: Queryable, s: string, authorId: string): Promise<Stretch[]> {
  const { rows } = await pool.query(
    `SELECT follower_id FROM (
       SELECT follower_id, row_number() OVER (ORDER BY follower_id) AS n
       FROM ${s}.timeline_follow WHERE followee_id = $1 AND live
     ) AS each WHERE n % $2 = 0 ORDER BY follower_id`,
    [authorId, entriesAtOnce],
  );
  const ends: (string | null)[] = [...rows.map((row) => row.follower_id), null];
  return ends.map((upTo, n) => ({ after: n === 0 ? null : ends[n - 1]!, upTo }));
}

/**
 * Reads the other side of what the round has committed: who gets its posts, and what its follows bring. A tombstone
 * does not know when its post was published; the id does, to within a minute. One text of all readers of a post,
 * because a row for each of them costs several times as much.
 */
export async function readFanOut(
  pool: Queryable,
  s: string,
  rules: TimelineRules,
  touched: Touched,
): Promise<FanOut> {
  const posts = await pool.query(
    `SELECT post_id, author_id, live, at,
            string_agg(follower_id::text, ',') FILTER (WHERE NOT live OR before_follow IS NOT TRUE) AS readers,
            string_agg(follower_id::text, ',') FILTER (WHERE before_follow AND NOT pulled) AS late
     FROM (
       SELECT p.post_id, p.author_id, p.live, ${ms('p.event_time')} AS at, f.follower_id,
              x.author_id IS NOT NULL AS pulled,
              CASE WHEN p.live THEN f.followed_at > p.event_time
                   ELSE f.followed_at > coalesce(uuid_extract_timestamp(p.post_id), '-infinity') - interval '1 minute'
              END AS before_follow
       FROM ${s}.timeline_post p LEFT JOIN ${s}.timeline_pulled x ON x.author_id = p.author_id
       LEFT JOIN ${s}.timeline_follow f ON f.followee_id = p.author_id AND f.live
         AND (NOT p.live OR x.author_id IS NULL)
         AND ($2::uuid IS NULL OR f.follower_id > $2) AND ($3::uuid IS NULL OR f.follower_id <= $3)
       WHERE p.post_id = ANY($1::uuid[])
     ) AS each GROUP BY post_id, author_id, live, at`,
    [touched.posts, touched.followers?.after ?? null, touched.followers?.upTo ?? null],
  );
  const fan: FanOut = { adds: [], drops: [], pairs: [...touched.pairs], slices: [] };
  for (const row of posts.rows) {
    const entry = { postId: row.post_id, authorId: row.author_id, publishedAt: row.at };
    const readers = [...idsOf(row.readers), entry.authorId];
    (row.live ? fan.adds : fan.drops).push({ entry, readers });
    // A late post, or the loss of one, from before a follow changes which ones the follower was given.
    for (const reader of idsOf(row.late)) fan.pairs.push({ reader, author: entry.authorId });
  }
  fan.slices = await readSlices(pool, s, rules, fan.pairs);
  return fan;
}

function idsOf(list: string | null): string[] {
  return list === null ? [] : list.split(',');
}

async function readSlices(
  pool: Queryable,
  s: string,
  rules: TimelineRules,
  pairs: FanOut['pairs'],
): Promise<FanOut['slices']> {
  if (pairs.length === 0) return [];
  const { rows } = await pool.query(
    `SELECT f.follower_id AS reader, f.followee_id AS author_id, slice.post_id, ${ms('slice.event_time')} AS at
     FROM (SELECT DISTINCT * FROM unnest($1::uuid[], $2::uuid[]) AS n (reader, author)) AS pair
     JOIN ${s}.timeline_follow f ON f.follower_id = pair.reader AND f.followee_id = pair.author AND f.live
     CROSS JOIN LATERAL (${sliceOf(s, rules)}) AS slice
     WHERE ${notPulled(s, 'f.followee_id')}`,
    [pairs.map((pair) => pair.reader), pairs.map((pair) => pair.author)],
  );
  return rows.map((row) => ({
    entry: { postId: row.post_id, authorId: row.author_id, publishedAt: row.at },
    readers: [row.reader],
  }));
}

/** Whole timelines of these readers from the facts, newest first; pulled authors come in when the feed is read. */
export async function readTimelines(
  pool: Queryable,
  s: string,
  rules: TimelineRules,
  readers: readonly string[],
): Promise<Map<string, Entry[]>> {
  const { rows } = await pool.query(
    `SELECT r.reader, (
       SELECT string_agg(e.post_id::text || e.author_id || ${ms('e.event_time')}, ','
                         ORDER BY e.event_time DESC, e.post_id DESC)
       FROM (
         SELECT * FROM (
           SELECT slice.post_id, f.followee_id AS author_id, slice.event_time
           FROM ${s}.timeline_follow f CROSS JOIN LATERAL (${sliceOf(s, rules)}) AS slice
           WHERE f.follower_id = r.reader AND f.live AND ${notPulled(s, 'f.followee_id')}
           UNION ALL
           (SELECT post_id, author_id, event_time FROM ${s}.timeline_post WHERE author_id = r.reader AND live
            ORDER BY event_time DESC, post_id DESC LIMIT ${rules.length})
         ) AS slices ORDER BY event_time DESC, post_id DESC LIMIT ${rules.length}
       ) AS e) AS entries
     FROM unnest($1::uuid[]) AS r (reader)`,
    [readers],
  );
  const known = new Map<string, Entry>();
  return new Map(rows.map((row) => [row.reader, idsOf(row.entries).map((text) => entryOf(text, known))]));
}

const idLength = 36;

/** The same object for the same post, which is in many timelines: Redis is told of it once. */
function entryOf(text: string, known: Map<string, Entry>): Entry {
  let entry = known.get(text);
  if (!entry) {
    entry = {
      postId: text.slice(0, idLength),
      authorId: text.slice(idLength, 2 * idLength),
      publishedAt: Number(text.slice(2 * idLength)),
    };
    known.set(text, entry);
  }
  return entry;
}

/** Every follow to or from these people, tombstones too: an erasure that was interrupted is shown once more. */
export async function edgesOf(
  client: Queryable,
  s: string,
  userIds: readonly string[],
): Promise<{ reader: string; author: string }[]> {
  const { rows } = await client.query(
    `SELECT follower_id AS reader, followee_id AS author FROM ${s}.timeline_follow
     WHERE follower_id = ANY($1::uuid[]) OR followee_id = ANY($1::uuid[])`,
    [userIds],
  );
  return rows;
}

/** These readers and whoever follows one of these authors, at most `limit`. */
export async function readersOf(
  pool: Queryable,
  s: string,
  authors: readonly string[],
  readers: readonly string[],
  limit: number,
): Promise<string[]> {
  const { rows } = await pool.query(
    `SELECT unnest($2::uuid[]) AS reader
     UNION SELECT follower_id FROM ${s}.timeline_follow WHERE followee_id = ANY($1::uuid[]) AND live LIMIT $3`,
    [authors, readers, limit],
  );
  return rows.map((row) => row.reader);
}

/** Everybody who may have a timeline, in pages by id. */
export async function readReaders(
  pool: Queryable,
  s: string,
  after: string | null,
  limit: number,
): Promise<string[]> {
  const { rows } = await pool.query(
    `SELECT DISTINCT reader FROM (
       SELECT follower_id AS reader FROM ${s}.timeline_follow
       UNION ALL SELECT author_id FROM ${s}.timeline_post) AS everybody
     WHERE $1::uuid IS NULL OR reader > $1::uuid ORDER BY reader LIMIT $2`,
    [after, limit],
  );
  return rows.map((row) => row.reader);
}
