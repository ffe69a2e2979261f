import { randomBytes } from 'node:crypto';
import { type Call, type Client, createClient, Refused } from '../load/client.ts';
import { act, type Person, registerPerson } from '../load/people.ts';
import { mediaState, uploadPhoto } from '../load/photos.ts';
import { drawPicture } from '../load/pictures.ts';
import { createTally } from '../load/tally.ts';

/** What there is to be asked for: ids that nobody would guess. */
export interface Cast {
  token: string;
  usernames: string[];
  userIds: string[];
  posts: string[];
  media: string[];
  /** Position tokens that are ours. */
  positions: string[];
}

const postsEach = 4;
const patienceMs = 60_000;

/** Makes two people with a photograph and some posts each, through the public API. The first is the caller. */
export async function makeCast(url: string): Promise<Cast> {
  const client = createClient(url, 8);
  const name = randomBytes(5).toString('hex');
  try {
    const people = await Promise.all(
      ['a', 'b'].map((letter) => registerPerson(client, newcomer(`fuzz_${name}_${letter}`), name)),
    );
    const [caller, other] = people as [Person, Person];
    // Whoever is followed has to be seen by then.
    other.position = caller.position;
    await accepted(client, other, { method: 'POST', path: `/api/users/${caller.username}/follow` });
    const things = await Promise.all(people.map((person) => thingsOf(client, person)));
    return {
      token: caller.accessToken,
      usernames: people.map(({ username }) => username),
      userIds: people.map(({ id }) => id),
      posts: things.flatMap(({ posts }) => posts),
      media: things.map(({ media }) => media),
      positions: people.flatMap(({ position }) => position ?? []),
    };
  } finally {
    client.close();
  }
}

function newcomer(username: string) {
  const fullName = `Name of ${username}`;
  const dateOfBirth = '1990-05-17';
  return { username, email: `${username}@example.org`, password: 'Fuzzing-here-1', fullName, dateOfBirth };
}

async function thingsOf(client: Client, person: Person): Promise<{ media: string; posts: string[] }> {
  const picture = await drawPicture(person.username);
  const media = (await uploadPhoto(client, createTally(), person, picture, person.id))!;
  for (const until = Date.now() + patienceMs; (await mediaState(client, person, media)) !== 'ready'; ) {
    if (Date.now() > until) throw new Error('The photograph is not ready: is the media pipeline running?');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const posts: string[] = [];
  for (let n = 0; n < postsEach; n += 1) {
    const body = { caption: `Number ${n}`, media: [media] };
    const idempotencyKey = `${person.id} ${n}`.replace(' ', '-');
    const answer = await accepted(client, person, {
      method: 'POST',
      path: '/api/posts',
      body,
      idempotencyKey,
    });
    posts.push(String(answer.body!.id));
  }
  return { media, posts };
}

async function accepted(client: Client, person: Person, call: Call) {
  const answer = await act(client, person, call, true);
  if (answer.status >= 300) throw new Refused(call, answer);
  return answer;
}
