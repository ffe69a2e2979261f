import type { Answer, Call, Client } from './client.ts';
import { eachOf } from './each.ts';
import type { Graph } from './edges.ts';
import { act, commandKey, type Person, registerPerson } from './people.ts';
import { mediaState, type PhotoFile, uploadPhoto } from './photos.ts';
import { planLikes, planPosts, planUploads } from './plan.ts';
import { startPhase } from './progress.ts';
import { count, type Tally } from './tally.ts';

/** A world being loaded. */
export interface Loading {
  client: Client;
  graph: Graph;
  seed: string;
  people: Person[];
  tally: Tally;
}

/** A photograph that its author has uploaded. */
export interface Uploaded {
  index: number;
  author: number;
  mediaId: string;
}

const registeringAtOnce = 16;
const uploadingAtOnce = 6;
const publishingAtOnce = 32;
const actingAtOnce = 64;
const mediaPollMs = 1_000;
/** Media that make no progress for this long never will. */
const mediaStalledMs = 120_000;

export function newcomerOf(node: string, seed: string) {
  const username = `p${node}_${seed}`;
  return {
    username,
    email: `${username.toLowerCase()}@example.org`,
    password: `Loaded-${seed}-2026`,
    fullName: `Person ${node} of ${seed}`,
    dateOfBirth: `19${60 + ((node.length * 7) % 40)}-05-17`,
  };
}

/** Passwords are hashed slowly on purpose: that bounds the rate of the whole machine. */
export async function registerPeople(loading: Loading): Promise<void> {
  const { client, graph, seed, people, tally } = loading;
  const phase = startPhase('people', graph.nodes.length, 'hashing a password is meant to take long');
  await eachOf(graph.nodes.length, registeringAtOnce, async (index) => {
    people[index] = await registerPerson(client, newcomerOf(graph.nodes[index]!, seed), seed);
    tally.accepted.register = (tally.accepted.register ?? 0) + 1;
    phase.step();
  }).finally(phase.end);
}

/** Without keys: following and liking again change nothing by themselves, and a key costs the vault two writes. */
export async function followAll({ client, graph, people, tally }: Loading): Promise<void> {
  const phase = startPhase('follows', graph.followers.length);
  await eachOf(graph.followers.length, actingAtOnce, async (index) => {
    const followee = people[graph.followees[index]!]!;
    const follower = people[graph.followers[index]!]!;
    const call: Call = { method: 'POST', path: `/api/users/${followee.username}/follow` };
    count(tally, 'follow', call, await act(client, follower, call));
    phase.step();
  }).finally(phase.end);
}

export async function uploadAll(loading: Loading, photos: PhotoFile[], uploads: number): Promise<Uploaded[]> {
  const { client, people, seed, tally } = loading;
  const planned = planUploads(people.length, photos.length, uploads, seed);
  const phase = startPhase('photographs', planned.length);
  const uploaded: Uploaded[] = [];
  await eachOf(planned.length, uploadingAtOnce, async (index) => {
    const { author, file } = planned[index]!;
    const key = `${seed} upload ${index}`;
    const mediaId = await uploadPhoto(client, tally, people[author]!, photos[file]!, key);
    if (mediaId) uploaded.push({ index, author, mediaId });
    phase.step();
  }).finally(phase.end);
  return uploaded.sort((a, b) => a.index - b.index);
}

/** Waits until the pipeline has settled every photograph; gives those that became media. */
export async function awaitMedia({ client, people }: Loading, uploaded: Uploaded[]): Promise<Uploaded[]> {
  const phase = startPhase('processed', uploaded.length);
  const ready: Uploaded[] = [];
  let waiting = uploaded;
  let moved = performance.now();
  try {
    while (waiting.length > 0) {
      const states = await Promise.all(
        waiting.slice(0, actingAtOnce).map((u) => mediaState(client, people[u.author]!, u.mediaId)),
      );
      const settled = new Set(
        waiting.filter((_, index) => states[index] === 'ready' || states[index] === 'rejected'),
      );
      ready.push(...waiting.filter((_, index) => states[index] === 'ready'));
      waiting = waiting.filter((upload) => !settled.has(upload));
      phase.step(settled.size);
      if (settled.size > 0) moved = performance.now();
      else if (performance.now() - moved > mediaStalledMs) throw new Error(stalled(waiting.length));
      else await new Promise((resolve) => setTimeout(resolve, mediaPollMs));
    }
  } finally {
    phase.end();
  }
  return ready.sort((a, b) => a.index - b.index);
}

function stalled(left: number): string {
  return `${left} photographs were not processed within ${mediaStalledMs / 1_000} s of the last one: is the media pipeline running?`;
}

/** Publishes; gives the ids of the posts that were accepted, in the order of the plan. */
export async function publishAll(loading: Loading, media: Uploaded[], posts: number): Promise<string[]> {
  const { client, people, seed, tally } = loading;
  const ids = new Map(media.map((upload) => [upload.index, upload.mediaId]));
  const planned = planPosts(media, posts, seed);
  const published: (string | null)[] = [];
  const phase = startPhase('posts', planned.length);
  await eachOf(planned.length, publishingAtOnce, async (index) => {
    const post = planned[index]!;
    const call: Call = {
      method: 'POST',
      path: '/api/posts',
      body: { caption: `Picture ${index} of ${seed}`, media: post.media.map((upload) => ids.get(upload)!) },
      idempotencyKey: commandKey(seed, 'post', index, ...post.media.map((upload) => ids.get(upload)!)),
    };
    const answer: Answer = await act(client, people[post.author]!, call);
    published[index] = count(tally, 'post', call, answer) ? String(answer.body!.id) : null;
    phase.step();
  }).finally(phase.end);
  return published.filter((id) => id !== null);
}

export async function likeAll(loading: Loading, posts: string[], likes: number): Promise<void> {
  const { client, people, seed, tally } = loading;
  const planned = planLikes(posts.length, people.length, likes, seed);
  const phase = startPhase('likes', planned.posts.length);
  await eachOf(planned.posts.length, actingAtOnce, async (index) => {
    const post = posts[planned.posts[index]!]!;
    const liker = people[planned.likers[index]!]!;
    const call: Call = { method: 'POST', path: `/api/posts/${post}/like` };
    count(tally, 'like', call, await act(client, liker, call));
    phase.step();
  }).finally(phase.end);
}
