import { type Answer, type Call, type Client, createClient, Refused } from './client.ts';
import { listen } from './listen.ts';
import { act, commandKey, type Person, registerPerson } from './people.ts';
import { mediaState, uploadPhoto } from './photos.ts';
import { drawPicture } from './pictures.ts';
import { createTally } from './tally.ts';

export interface DemoOptions {
  publicUrl: string;
  log(text: string): void;
}

/** What happened, in words and addresses that somebody new can try. */
export interface DemoReport extends Record<string, unknown> {
  people: number;
  posts: number;
  likes: number;
  firstInFeed: string;
  receivedLive: string;
  post: string;
  picture: string;
  profile: string;
  documentation: string;
  signIn: string;
}

const seed = 'demo';
const password = 'Demo-emulsion-1';
const names = ['Ada Abel', 'Ben Brandt', 'Cleo Costa', 'Dov Dahl', 'Eva Engel', 'Finn Falk'].concat([
  'Gia Grau',
  'Hugo Holm',
  'Ines Ibarra',
  'Jon Jansen',
  'Kira Klein',
  'Leo Lund',
]);
const authors = [
  { index: 2, caption: 'Low tide' },
  { index: 4, caption: 'The hills behind our house' },
  { index: 0, caption: 'First light' },
];
const patienceMs = 10_000;

/**
 * A small world through the public API: a dozen people, drawn pictures, follows, posts, likes, and a follower's socket
 * that hears of a new post. Played again, it finds what is there and adds nothing.
 */
export async function playDemo({ publicUrl, log }: DemoOptions): Promise<DemoReport> {
  const client = createClient(publicUrl, 12);
  try {
    return await play(client, publicUrl, log);
  } finally {
    client.close();
  }
}

async function play(client: Client, publicUrl: string, log: DemoOptions['log']): Promise<DemoReport> {
  const people = await Promise.all(names.map((name) => registerPerson(client, newcomerOf(name), seed)));
  const [ada, ben] = people as [Person, Person];
  await Promise.all(
    people.map((person) => shown(client, ada, { method: 'GET', path: `/api/users/${person.username}` })),
  );
  log(`${people.length} people have accounts`);
  await followEachOther(client, people);
  log(`${ada.username} is followed by all, each also by the next two`);
  const socket = listen(publicUrl, ben.accessToken);
  try {
    const posts = await Promise.all(
      authors.map(({ index, caption }) => postOf(client, people[index]!, caption)),
    );
    log(`${posts.length} photographs were uploaded, processed and posted`);
    const newest = posts.at(-1)!;
    const isNewest = ({ type, data }: { type: string; data: Record<string, unknown> }) =>
      type === 'post.published' && data.postId === newest;
    const frame = await socket.hear(isNewest, patienceMs);
    log(`${ben.username}'s socket received ${frame.type} as number ${frame.seq}`);
    const likes = await likeAll(client, people, posts);
    log(`${likes} likes were given`);
    return await reportOf(client, publicUrl, people, posts, {
      likes,
      received: `${frame.type} (${newest}) by ${ben.username}`,
    });
  } finally {
    socket.close();
  }
}

function newcomerOf(fullName: string) {
  const username = `demo_${fullName.split(' ')[0]!.toLowerCase()}`;
  return { username, email: `${username}@example.org`, password, fullName, dateOfBirth: '1990-05-17' };
}

async function followEachOther(client: Client, people: Person[]): Promise<void> {
  const pairs = people.flatMap((person, index) => {
    const others = [people[0]!, people[(index + 1) % people.length]!, people[(index + 2) % people.length]!];
    return [...new Set(others)].filter((other) => other !== person).map((other) => ({ person, other }));
  });
  await Promise.all(
    pairs.map(({ person, other }) =>
      shown(client, person, { method: 'POST', path: `/api/users/${other.username}/follow` }),
    ),
  );
}

/** The author's post: the one that an earlier play has made, or a new one of a new picture. */
async function postOf(client: Client, author: Person, caption: string): Promise<string> {
  const own = await shown(client, author, { method: 'GET', path: `/api/users/${author.username}/posts` });
  const known = (own.body!.items as { id: string; caption: string }[]).find(
    (post) => post.caption === caption,
  );
  if (known) return known.id;
  const picture = await drawPicture(author.username);
  const mediaId = await uploadPhoto(client, createTally(), author, picture, `${seed} ${author.id}`);
  if (!mediaId) throw new Error(`The picture of ${author.username} was refused.`);
  const published = await shown(client, author, {
    method: 'POST',
    path: '/api/posts',
    body: { caption, media: [mediaId] },
    idempotencyKey: commandKey(seed, 'post', mediaId),
  });
  await until(
    async () => (await mediaState(client, author, mediaId)) === 'ready',
    'the picture was not processed',
  );
  return String(published.body!.id);
}

async function likeAll(client: Client, people: Person[], posts: string[]): Promise<number> {
  const pairs = people.flatMap((person, index) =>
    posts.slice(index % posts.length).map((post) => ({ person, post })),
  );
  await Promise.all(
    pairs.map(({ person, post }) =>
      shown(client, person, { method: 'POST', path: `/api/posts/${post}/like` }),
    ),
  );
  return pairs.length;
}

async function reportOf(
  client: Client,
  publicUrl: string,
  people: Person[],
  posts: string[],
  { likes, received }: { likes: number; received: string },
): Promise<DemoReport> {
  const ben = people[1]!;
  const newest = posts.at(-1)!;
  const feed = await shown(client, ben, { method: 'GET', path: '/api/feed' });
  const items = feed.body!.items as {
    id: string;
    caption: string;
    media: { variants: { url: string }[] }[];
  }[];
  const first = items.find((item) => item.id === newest) ?? items[0]!;
  const body = JSON.stringify({ identifier: ben.username, password });
  return {
    people: people.length,
    posts: posts.length,
    likes,
    firstInFeed: `"${items[0]!.caption}", the newest of ${items.length} in ${ben.username}'s feed`,
    receivedLive: received,
    post: `${publicUrl}/api/posts/${newest}`,
    picture: first.media[0]?.variants.at(-1)?.url ?? '',
    profile: `${publicUrl}/api/users/${people[0]!.username}`,
    documentation: `${publicUrl}/api/docs`,
    signIn: `curl -s ${publicUrl}/api/auth/login -H 'content-type: application/json' -d '${body}'`,
  };
}

/** The accepted answer to a call that may be early: what it is about may not have reached the views yet. */
async function shown(client: Client, person: Person, call: Call): Promise<Answer> {
  let answer = await act(client, person, call, true);
  const early = async (): Promise<boolean> => {
    if (answer.status === 404) answer = await act(client, person, call, true);
    return answer.status !== 404;
  };
  await until(early, `${call.path} stayed unknown`);
  if (answer.status >= 300) throw new Refused(call, answer);
  return answer;
}

async function until(done: () => Promise<boolean>, otherwise: string): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await done())) {
    if (performance.now() > end)
      throw new Error(`The demo gave up after ${patienceMs / 1_000} s: ${otherwise}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
