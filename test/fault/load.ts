import { vi } from 'vitest';
import { createRandom, type Random } from '../../tools/load/random.ts';
import type { Person } from '../harness/client.ts';
import type { Request } from '../oracle/history.ts';
import { pause } from '../stream/stage.ts';
import { type Booked, openBook } from './book.ts';
import type { Witness } from './witness.ts';

/** Who acts: an author, two who like and follow, and one who reads, and follows the author. */
export interface Cast {
  author: Person;
  fans: [Person, Person];
  reader: Person;
  /** Of the author, ready. */
  photo: string;
  /** Of the author, known to all. */
  posts: string[];
}

/** People who act and read all the time, whatever happens. */
export interface Load {
  /** What was acknowledged. */
  booked: Booked[];
  /** Posts that the author was told are published, in their order. */
  published: string[];
  /** Resolves when so many more commands are acknowledged, or reads answered. */
  goesOn(what: 'writes' | 'reads', more?: number): Promise<void>;
  /** Resolves when somebody has been answered 503 with that code so many more times. */
  isRefused(code: string, more?: number): Promise<void>;
  /** Lets everybody end what they do; throws what went wrong. */
  stop(): Promise<void>;
}

const waiting = { timeout: 120_000, interval: 50 };
/** Milliseconds between two acts of one person, and the most acts of one. */
const paceMs = 40;
const mostActs = 10_000;

export function beginLoad(witness: Witness, cast: Cast, seed: string): Load {
  const randomOf = (who: string): Random => createRandom(`${seed} ${who}`);
  const { booked, say } = openBook(witness.api, randomOf('book'));
  const published: string[] = [];
  let reads = 0;
  let going = true;

  const live = async (who: string, act: (random: Random) => Promise<void>): Promise<void> => {
    const random = randomOf(who);
    for (let n = 0; going && n < mostActs; n += 1) {
      await act(random);
      await pause(paceMs);
    }
  };
  const author = async (random: Random): Promise<void> => {
    const isPost = random.below(3) === 0;
    const { body } = await say(cast.author, isPost ? publish(cast, published.length) : edit(random));
    if (isPost) published.push(body.id);
  };
  const fan = (own: Person, other: Person) => async (random: Random) =>
    void (await say(own, likeOrFollow(random, cast, other)));
  const reader = async (random: Random): Promise<void> => {
    const path = pick(random, readsOf(cast));
    const answer = await witness.api.call('GET', path, { token: cast.reader.token }).catch(() => null);
    if (answer?.status === 200) reads += 1;
  };
  const [one, other] = cast.fans;
  const all = [
    live('author', author),
    live('one', fan(one, other)),
    live('other', fan(other, one)),
    live('reader', reader),
  ];
  // Whoever is refused ends what waits for more of them.
  const broken = Promise.all(all).then(() => new Promise<never>(() => {}));
  broken.catch(() => {});
  const until = (count: () => number, more: number, otherwise: string): Promise<void> => {
    const enough = count() + more;
    const look = (): void => {
      if (count() < enough) throw new Error(otherwise);
    };
    return Promise.race([broken, vi.waitFor(look, waiting)]);
  };
  return {
    booked,
    published,
    goesOn: (what, more = 20) =>
      until(() => (what === 'writes' ? booked.length : reads), more, `${what} do not go on`),
    isRefused: (code, more = 3) => until(() => witness.refused(code), more, `nobody is told ${code}`),
    async stop() {
      going = false;
      await Promise.all(all);
    },
  };
}

function publish({ photo }: Cast, number: number): Request {
  return { method: 'POST', path: '/api/posts', body: { caption: `Number ${number}`, media: [photo] } };
}

function edit(random: Random): Request {
  const fullName = `Name ${random.below(1_000)}`;
  const body = { fullName, bio: '', website: null, gender: null, avatarMediaId: null };
  return { method: 'PUT', path: '/api/users/me', body };
}

function likeOrFollow(random: Random, { posts }: Cast, other: Person): Request {
  const method = random.below(3) > 0 ? 'POST' : 'DELETE';
  if (random.below(4) === 0) return { method, path: `/api/users/${other.username}/follow` };
  return { method, path: `/api/posts/${pick(random, posts)}/like` };
}

function readsOf({ author, posts }: Cast): string[] {
  return ['/api/feed', `/api/users/${author.username}`, `/api/posts/${posts[0]}`];
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.below(values.length)]!;
}
