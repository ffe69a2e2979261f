import { uuidArray } from '../../platform/postgres/prepared.ts';
import { timelineRules } from '../../schemas/content/timeline.keys.ts';
import { afterCursor, type Cursor, cursorParams, newestFirst } from '../cursor.ts';
import type { RowKind } from '../rows.ts';
import type { Scope } from '../scope.ts';
import { readTimeline, type TimelineSource } from './feed.redis.ts';

const { length: feedLength, backfill: backfillLength } = timelineRules;

/**
 * Entries of the viewer's home feed after the cursor, newest first, ids being posts'. From the timeline in Redis with
 * the posts of pulled authors; from the facts in Postgres while Redis is away, slow, or not whole.
 */
export async function feedEntries(
  scope: Scope,
  source: TimelineSource,
  after: Cursor | null,
  limit: number,
): Promise<Cursor[]> {
  // A page is asked for together with whether it may be believed; all of a merged feed, only once that is known.
  const [{ epoch, pulls }, page] = await Promise.all([
    readState(scope),
    readTimeline(scope, source, after, limit),
  ]);
  // A first page is above the cut, whatever it merges; for a later one all of the feed must be merged and cut.
  const merged = pulls && after !== null;
  const count = merged ? feedLength : limit;
  const timeline = merged ? await readTimeline(scope, source, null, count) : page;
  if (timeline?.epoch !== epoch) return feedFromFacts(scope, after, limit);
  if (!pulls) return timeline.entries;
  const feed = merge(timeline.entries, await pulledEntries(scope, count)).slice(0, feedLength);
  return feed.filter((entry) => after === null || newestFirst(after, entry) < 0).slice(0, limit);
}

interface FeedState {
  epoch: string;
  pulls: boolean;
}

const oneRow = 'one';

/** Whether Redis can be believed, and whether any author at all is pulled. Never remembered: the epoch must be now's. */
const states: RowKind<FeedState> = {
  model: 'timelines',
  async load(db, s) {
    const { rows } = await db.query(
      `SELECT epoch, EXISTS (SELECT FROM ${s}.timeline_pulled) AS pulls FROM ${s}.timeline_state`,
      [],
    );
    return new Map([[oneRow, rows[0]]]);
  },
};

/** Readers who follow authors that are pulled. */
const pulling: RowKind<true> = {
  model: 'timelines',
  async load(db, s, readerIds) {
    const { rows } = await db.query(
      `SELECT n.id FROM unnest($1::uuid[]) AS n (id) WHERE EXISTS (
         SELECT FROM ${s}.timeline_follow f JOIN ${s}.timeline_pulled x ON x.author_id = f.followee_id
         WHERE f.follower_id = n.id AND f.live)`,
      [uuidArray(readerIds)],
    );
    return new Map(rows.map(({ id }) => [id, true]));
  },
};

/** Whether Redis can be believed, and whether any of the viewer's authors' posts must be pulled. */
async function readState(scope: Scope): Promise<FeedState> {
  const { epoch, pulls } = (await scope.ask(states, [oneRow])).get(oneRow)!;
  const readerId = scope.viewerId!;
  return { epoch, pulls: pulls && (await scope.ask(pulling, [readerId])).has(readerId) };
}

/** What the follow row f brings of its author: the posts since, and the newest before. */
const sliceOf = (s: string): string => `
  (SELECT p.post_id, p.event_time FROM ${s}.timeline_post p
   WHERE p.author_id = f.followee_id AND p.live AND p.event_time >= f.followed_at
   ORDER BY p.event_time DESC, p.post_id DESC LIMIT ${feedLength})
  UNION ALL
  (SELECT p.post_id, p.event_time FROM ${s}.timeline_post p
   WHERE p.author_id = f.followee_id AND p.live AND p.event_time < f.followed_at
   ORDER BY p.event_time DESC, p.post_id DESC LIMIT ${backfillLength})`;

/** Newest entries of the authors who are pulled at read. */
async function pulledEntries(scope: Scope, limit: number): Promise<Cursor[]> {
  const s = scope.schema('timelines');
  const { rows } = await scope.db.query(
    `SELECT slice.post_id, slice.event_time
     FROM ${s}.timeline_follow f JOIN ${s}.timeline_pulled x ON x.author_id = f.followee_id
     CROSS JOIN LATERAL (${sliceOf(s)}) AS slice
     WHERE f.follower_id = $1 AND f.live
     ORDER BY slice.event_time DESC, slice.post_id DESC LIMIT $2`,
    [scope.viewerId, limit],
  );
  return rows.map(entryOf);
}

/**
 * The home feed as the function of facts that it is: of each account followed now the posts since the follow and the
 * 20 newest before it, and the viewer's own; the newest 1,000 of these; of those, what comes after the cursor.
 */
async function feedFromFacts(scope: Scope, after: Cursor | null, limit: number): Promise<Cursor[]> {
  const s = scope.schema('timelines');
  const { rows } = await scope.db.query(
    `SELECT post_id, event_time FROM (
       SELECT post_id, event_time FROM (
         SELECT slice.post_id, slice.event_time
         FROM ${s}.timeline_follow f CROSS JOIN LATERAL (${sliceOf(s)}) AS slice
         WHERE f.follower_id = $1 AND f.live AND f.followee_id <> f.follower_id
         UNION ALL
         (SELECT post_id, event_time FROM ${s}.timeline_post WHERE author_id = $1 AND live
          ORDER BY event_time DESC, post_id DESC LIMIT ${feedLength})
       ) AS parts ORDER BY event_time DESC, post_id DESC LIMIT ${feedLength}
     ) AS feed
     WHERE ${afterCursor('event_time', 'post_id', 2)}
     ORDER BY event_time DESC, post_id DESC LIMIT $4`,
    [scope.viewerId, ...cursorParams(after), limit],
  );
  return rows.map(entryOf);
}

function entryOf(row: { post_id: string; event_time: Date }): Cursor {
  return { id: row.post_id, time: row.event_time.getTime() };
}

/** Both in order, each post once: an author's posts from before being pulled are in the timeline too. */
function merge(timeline: readonly Cursor[], pulled: readonly Cursor[]): Cursor[] {
  const byId = new Map([...timeline, ...pulled].map((entry) => [entry.id, entry]));
  return [...byId.values()].sort(newestFirst);
}
