import type { Queryable } from '../../platform/postgres/pool.ts';
import type { Serving } from '../../platform/postgres/serving.ts';
import type { ModelName } from '../../schemas/route.ts';
import {
  maySeePost,
  maySeeProfile,
  noTie,
  type OwnerFacts,
  relationOf,
  type Tie,
} from '../../schemas/visibility/visibility.ts';
import { queryBlocks, queryTies } from '../graph/tie.reads.ts';
import { pairKey } from '../rows.ts';
import type { StreamMetrics } from './metrics.ts';
import type { JudgedFrame } from './session.ts';
import type { WireFrame } from './wire.ts';

export interface ShowsParts {
  pool: Queryable;
  serving: Serving;
  metrics: StreamMetrics;
}

/** A frame, and who is to be told. */
export interface ToldFrame {
  viewerId: string;
  frame: WireFrame;
}

/** What frames are about, as it stands now. */
interface Facts {
  people: Map<string, OwnerFacts>;
  /** By pairKey of the reader and whom the frame tells of; none of strangers. */
  ties: Map<string, Tie>;
  /** Whether the posts still are. */
  posts: Map<string, boolean>;
}

/** Marks the frames that their readers may not see, or no longer; one query a kind for all of them, in their order. */
export async function hideWhatNoLongerShows(
  parts: ShowsParts,
  told: readonly ToldFrame[],
): Promise<JudgedFrame[]> {
  const facts = await loadFacts(parts, told);
  const judged = told.map(({ viewerId, frame }) =>
    facts === null || stillShows(viewerId, frame, facts) ? frame : { ...frame, hidden: true },
  );
  parts.metrics.hidden.inc(judged.filter((frame: JudgedFrame) => frame.hidden).length);
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
  const tie = ties.get(pairKey(viewerId, personId)) ?? noTie;
  const relation = relationOf(viewerId, personId, person, tie);
  const postId = publishedPost(frame);
  if (postId === null) return maySeeProfile(relation, person);
  return maySeePost(relation, person, { live: posts.get(postId) ?? true, mediaReady: true });
}

/** null when the frames are about nobody. Throws while a model that decides is not served. */
async function loadFacts({ pool, serving }: ShowsParts, told: readonly ToldFrame[]): Promise<Facts | null> {
  const people = distinct(told, ({ frame }) => personOf(frame));
  if (people.length === 0) return null;
  const schemaOf = schemasOf(serving);
  const postIds = distinct(told, ({ frame }) => publishedPost(frame));
  const [known, ties, live] = await Promise.all([
    loadPeople(pool, schemaOf('accounts'), people),
    queryBlocks(pool, schemaOf('graph'), distinct(told, pairOf)),
    postIds.length > 0 ? loadPosts(pool, schemaOf('posts'), postIds) : new Map(),
  ]);
  const isPrivate = (frame: WireFrame): boolean => known.get(personOf(frame) ?? '')?.privateSince != null;
  // Of posts of private people all decides that is between the two.
  const close = told.filter(({ frame }) => publishedPost(frame) !== null && isPrivate(frame));
  if (close.length === 0) return { people: known, ties, posts: live };
  const all = await queryTies(pool, schemaOf('graph'), distinct(close, pairOf));
  return { people: known, ties: new Map([...ties, ...all]), posts: live };
}

/** Without a model nobody knows who may be told: the frames wait until there is one, after a restore for instance. */
function schemasOf(serving: Serving): (name: ModelName) => string {
  const models = serving.snapshot();
  return (name) => {
    const served = models.get(name);
    if (!served) throw new Error(`no version of ${name} is served: frames wait`);
    return served.schema;
  };
}

function pairOf({ viewerId, frame }: ToldFrame): string | null {
  const personId = personOf(frame);
  return personId === null ? null : pairKey(viewerId, personId);
}

function distinct(told: readonly ToldFrame[], of: (one: ToldFrame) => string | null): string[] {
  const ids = new Set<string>();
  for (const one of told) {
    const id = of(one);
    if (id !== null) ids.add(id);
  }
  return [...ids];
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
