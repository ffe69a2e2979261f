import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Random } from '../../tools/load/random.ts';
import type { Answer, Client, Person } from '../harness/client.ts';

/** What several people did at once, and what must stand at the end: each person's last word on each thing. */
export interface History {
  people: Person[];
  posts: { id: string; author: Person; live: boolean }[];
  /** `follower followee`, `liker post`, and whether it stands. */
  follows: Map<string, boolean>;
  likes: Map<string, boolean>;
  names: Map<string, string>;
  acts: number;
}

interface Said {
  method: string;
  path: string;
  body?: unknown;
  key: string;
  answer: Answer;
}

/** One person's part in the history; takes its turns one after the other, beside everybody else's. */
export async function live(
  api: Client,
  history: History,
  self: { person: Person; photo: string; random: Random },
  turns: number,
): Promise<void> {
  const { person, photo, random } = self;
  const said: Said[] = [];
  const oneOf = <T>(items: readonly T[]): T => items[random.below(items.length)]!;
  const say = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const key = randomUUID();
    const answer = await api.as(person, method, path, body, { 'idempotency-key': key });
    history.acts += 1;
    said.push({ method, path, body, key, answer });
    return answer;
  };
  const follow = async (whom: Person, on: boolean): Promise<void> => {
    const answer = await say(on ? 'POST' : 'DELETE', `/api/users/${whom.username}/follow`);
    expect(answer.status).toBe(200);
    history.follows.set(`${person.id} ${whom.id}`, on);
  };
  const like = async (postId: string, on: boolean): Promise<void> => {
    const { status } = await say(on ? 'POST' : 'DELETE', `/api/posts/${postId}/like`);
    if (status === 200) history.likes.set(`${person.id} ${postId}`, on);
    // Deleted, or so new that the views of somebody else's act are not that far.
    else expect(status).toBe(404);
  };
  const storm = async (act: (on: boolean) => Promise<void>): Promise<void> => {
    await Promise.all([1, 2, 3, 4, 5].map(() => act(random.below(2) === 1)));
    await act(random.below(2) === 1);
  };
  const others = history.people.filter((other) => other !== person);
  const mine = () => history.posts.filter((post) => post.author === person && post.live);

  const turn: (() => Promise<void>)[] = [
    () => follow(oneOf(others), true),
    () => follow(oneOf(others), false),
    () => like(oneOf(history.posts).id, true),
    () => like(oneOf(history.posts).id, true),
    () => like(oneOf(history.posts).id, false),
    async () => {
      const whom = oneOf(others);
      await storm((on) => follow(whom, on));
    },
    async () => {
      const post = oneOf(history.posts);
      await storm((on) => like(post.id, on));
    },
    async () => {
      const answer = await say('POST', '/api/posts', { media: [photo], caption: `Turn ${history.acts}` });
      expect(answer.status).toBe(201);
      history.posts.push({ id: answer.body.id, author: person, live: true });
    },
    async () => {
      if (mine().length < 2) return;
      const post = oneOf(mine());
      post.live = false;
      expect((await say('DELETE', `/api/posts/${post.id}`)).status).toBe(204);
    },
    async () => {
      const fullName = `Person ${random.below(1_000_000)}`;
      const profile = { fullName, bio: 'Hello', website: null, gender: null, avatarMediaId: photo };
      expect((await say('PUT', '/api/users/me', profile)).status).toBe(200);
      history.names.set(person.id, fullName);
    },
    async () => {
      if (said.length === 0) return;
      // A repeat of something said long ago: the same answer, and nothing happens again.
      const { method, path, body, key, answer } = oneOf(said);
      const again = await api.as(person, method, path, body, { 'idempotency-key': key });
      expect([again.status, withoutTrace(again.body)]).toEqual([answer.status, withoutTrace(answer.body)]);
    },
  ];
  for (let i = 0; i < turns; i += 1) await oneOf(turn)();
}

function withoutTrace(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body;
  return { ...body, traceId: undefined };
}
