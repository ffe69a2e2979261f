import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ask, type Question } from '../../tools/operate/ask.ts';
import { expectStatus, type Person } from '../harness/client.ts';
import { startWorld, type World } from '../harness/world.ts';

let world: World;
let people: Person[];
let posts: string[];
beforeAll(async () => {
  world = await startWorld({ services: ['command-api', 'query-api', 'projectors', 'media-pipeline'] });
  people = await Promise.all(Array.from({ length: 5 }, () => world.api.register()));
  const photo = await world.api.upload(people[0]!);
  posts = [await world.api.publish(people[0]!, [photo])];
  // A post can be liked once it shows.
  await world.drained();
  for (const person of people.slice(1)) {
    expectStatus(await world.api.as(person, 'POST', `/api/users/${people[0]!.username}/follow`), 200);
    expectStatus(await world.api.as(person, 'POST', `/api/posts/${posts[0]}/like`), 200);
  }
  await world.drained();
});
afterAll(() => world?.stop());

const models = ['accounts', 'graph', 'posts', 'likes', 'media', 'timelines'];

const order = (kind: Question['kind'], model: string, given: Record<string, unknown> = {}) =>
  ask(world.owner, { kind, model, arguments: given, askedBy: 'test' });

async function buildState(model: string): Promise<{ version: number; state: string; detail: string | null }> {
  const { rows } = await world.owner.query(
    'SELECT version, state, detail FROM engine.rebuild WHERE model = $1 ORDER BY version DESC LIMIT 1',
    [model],
  );
  return rows[0];
}

async function untilState(model: string, state: string): Promise<void> {
  await vi.waitFor(async () => expect(await buildState(model)).toMatchObject({ state }), {
    timeout: 20_000,
    interval: 100,
  });
}

async function served(model: string): Promise<number> {
  return (await world.owner.query('SELECT version FROM engine.serving WHERE model = $1', [model])).rows[0]
    .version;
}

/** Does something again and again until told to stop, which tells what went wrong. */
function underway(work: () => Promise<void>): { stop(): Promise<void> } {
  let going = true;
  const loop = (async () => {
    while (going) await work();
  })();
  loop.catch(() => {});
  return {
    async stop() {
      going = false;
      await loop;
    },
  };
}

test('every model is built again while it is written and read: no read fails, none is half filled, none goes back', async () => {
  const [author, reader, liker] = people as [Person, Person, Person];
  let liked = true;
  const writing = underway(async () => {
    liked = !liked;
    const answer = await world.api.as(liker, liked ? 'POST' : 'DELETE', `/api/posts/${posts[0]}/like`);
    expect(answer.status).toBeLessThan(300);
    // Reads its own write, across every switch.
    const post = await world.api.as(liker, 'GET', `/api/posts/${posts[0]}`);
    expect(post.body).toMatchObject({ likedByViewer: liked, likeCount: liked ? 4 : 3 });
  });
  const reading = underway(async () => {
    const feed = await world.api.as(reader, 'GET', '/api/feed');
    expect(feed.status).toBe(200);
    expect(feed.body.items.map((item: { id: string }) => item.id)).toEqual(posts);
    const profile = await world.api.call('GET', `/api/users/${author.username}`);
    expect(profile.body).toMatchObject({ followersCount: 4, postsCount: 1 });
  });
  for (const model of models) {
    expect(await order('rebuild', model)).toMatchObject({ outcome: 'done' });
    await untilState(model, 'switched');
    expect(await served(model)).toBe(2);
  }
  await writing.stop();
  await reading.stop();
  await world.drained();
}, 180_000);
