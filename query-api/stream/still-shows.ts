import type { Queryable } from '../../platform/postgres/pool.ts';
import type { ServedModel, Serving } from '../../platform/postgres/serving.ts';
import {
  maySeePost,
  maySeeProfile,
  noTie,
  type OwnerFacts,
  relationOf,
  type Tie,
} from '../../schemas/visibility/visibility.ts';
import { queryTies } from '../graph/tie.reads.ts';
import { pairKey } from '../rows.ts';
import type { StreamMetrics } from './metrics.ts';
import type { HistoryFrame } from './session.ts';
import type { WireFrame } from './wire.ts';

export interface ShowsParts {
  pool: Queryable;
  serving: Serving;
  metrics: StreamMetrics;
}

/** What the frames of a page are about, as it stands now. */
interface Facts {
  people: Map<string, OwnerFacts>;
  ties: Map<string, Tie>;
  /** Whether the posts still are. */
  posts: Map<string, boolean>;
}

/** Marks the frames of a page that their reader may no longer see; one query a kind. */
export async function hideWhatNoLongerShows(
  parts: ShowsParts,
  viewerId: string,
  frames: WireFrame[],
): Promise<HistoryFrame[]> {
  const people = [...new Set(frames.map(personOf).filter((id) => id !== null))];
  if (people.length === 0) return frames;
  const posts = [...new Set(frames.map(publishedPost).filter((id) => id !== null))];
  const facts = await loadFacts(parts, viewerId, people, posts);
  const judged = frames.map((frame) => ({ ...frame, hidden: !stillShows(viewerId, frame, facts) }));
  parts.metrics.hidden.inc(judged.filter(({ hidden }) => hidden).length);
  return judged;
}

/** Who did what the frame tells of. */
const actors: Record<string, string> = {
  'post.published': 'authorId',
  'post.liked': 'likerId',
  'user.followed': 'followerId',
  'follow.requested': 'followerId',
  'follow.approved': 'followeeId',
};

function personOf({ type, data }: WireFrame): string | null {
  return idIn(data, actors[type]);
}

function publishedPost({ type, data }: WireFrame): string | null {
  return type === 'post.published' ? idIn(data, 'postId') : null;
}

function idIn(data: WireFrame['data'], field: string | undefined): string | null {
  const id = field && data[field];
  return typeof id === 'string' ? id : null;
}

/** Models may be behind the stream: who or what they have not heard of is not gone, and not private. */
const unheardOf: OwnerFacts = { live: true, privateSince: null };

/** A frame was written when its post showed, so its media were ready then; only what took it away since counts. */
function stillShows(viewerId: string, frame: WireFrame, { people, ties, posts }: Facts): boolean {
  const personId = personOf(frame);
  if (personId === null) return true;
  const person = people.get(personId) ?? unheardOf;
  const relation = relationOf(viewerId, personId, person, ties.get(personId) ?? noTie);
  const postId = publishedPost(frame);
  if (postId === null) return maySeeProfile(relation, person);
  return maySeePost(relation, person, { live: posts.get(postId) ?? true, mediaReady: true });
}

async function loadFacts(
  { pool, serving }: ShowsParts,
  viewerId: string,
  personIds: string[],
  postIds: string[],
): Promise<Facts> {
  const models = serving.snapshot();
  const { accounts, graph, posts } = Object.fromEntries(models) as Record<string, ServedModel | undefined>;
  const [people, ties, live] = await Promise.all([
    accounts ? loadPeople(pool, accounts.schema, personIds) : new Map(),
    graph ? loadTies(pool, graph.schema, viewerId, personIds) : new Map(),
    posts && postIds.length > 0 ? loadPosts(pool, posts.schema, postIds) : new Map(),
  ]);
  return { people, ties, posts: live };
}

async function loadTies(pool: Queryable, s: string, viewerId: string, ids: string[]): Promise<Facts['ties']> {
  const found = await queryTies(
    pool,
    s,
    ids.map((id) => pairKey(viewerId, id)),
  );
  return new Map(ids.map((id) => [id, found.get(pairKey(viewerId, id)) ?? noTie]));
}

async function loadPeople(pool: Queryable, s: string, ids: string[]): Promise<Facts['people']> {
  const { rows } = await pool.query<{ user_id: string; live: boolean; private_since: Date | null }>(
    `SELECT user_id, p.live AND f.live AS live, f.private_since
     FROM ${s}.person p JOIN ${s}.profile f USING (user_id) WHERE user_id = ANY($1::uuid[])`,
    [ids],
  );
  return new Map(
    rows.map((row) => [row.user_id, { live: row.live, privateSince: row.private_since?.getTime() ?? null }]),
  );
}

async function loadPosts(pool: Queryable, s: string, ids: string[]): Promise<Facts['posts']> {
  const { rows } = await pool.query<{ post_id: string; live: boolean }>(
    `SELECT post_id, live FROM ${s}.post WHERE post_id = ANY($1::uuid[])`,
    [ids],
  );
  return new Map(rows.map((row) => [row.post_id, row.live]));
}
