import { vi } from 'vitest';
import { expectStatus, type Person } from '../harness/client.ts';
import { discardLetter } from '../harness/rulings.ts';
import { startWorld, type World } from '../harness/world.ts';

/** Followers above this, and an author is pulled when a feed is read. */
const threshold = 2;

/** A small world with something in every table of every model, and nothing under way. */
export interface Life {
  world: World;
  /** Followed by more than the threshold: her posts are pulled. */
  ann: Person;
  /** Follows Ann and Cat; has no follower and no post. */
  ben: Person;
  /** Once followed Ann; her posts are fanned out. */
  cat: Person;
  /** Ann's post, liked by Ben, and once by Cat; and Cat's. */
  annsPost: string;
  catsPost: string;
  /** Ann deleted it. */
  gonePost: string;
}

export async function startLife(): Promise<Life> {
  const world = await startWorld({
    services: ['command-api', 'query-api', 'projectors', 'reactors', 'media-pipeline'],
    env: { EMULSION_FANOUT_THRESHOLD: String(threshold) },
  });
  try {
    return { world, ...(await liveALittle(world)) };
  } catch (error) {
    await world.stop();
    throw error;
  }
}

/** Live rows and tombstones, a photograph that was refused, a post that is gone. */
async function liveALittle(world: World): Promise<Omit<Life, 'world'>> {
  const { api } = world;
  const [ann, ben, cat, dan, eve, gus] = await Promise.all(Array.from({ length: 6 }, () => api.register()));
  await world.drained();
  const say = async (who: Person, method: string, path: string, status = 200): Promise<void> =>
    expectStatus(await api.as(who, method, path), status);
  const follow = (who: Person, whom: Person) => say(who, 'POST', `/api/users/${whom.username}/follow`);
  // Command-api looks once a second for models that are served: a world that has just begun may not have them yet.
  await vi.waitFor(() => follow(ben!, ann!), { timeout: 10_000 });
  for (const [who, whom] of [
    [cat, ann],
    [dan, ann],
    [eve, ann],
    [ann, cat],
    [ben, cat],
  ])
    await follow(who!, whom!);
  await say(cat!, 'DELETE', `/api/users/${ann!.username}/follow`);
  // Dan asks to follow Eve, who is private; of Cat he wants nothing to do.
  const profile = { fullName: 'Eve in private', bio: '', website: null, gender: null, avatarMediaId: null };
  expectStatus(await api.as(eve!, 'PUT', '/api/users/me', { ...profile, isPrivate: true }), 200);
  dan!.position = eve!.position;
  await follow(dan!, eve!);
  await say(dan!, 'POST', `/api/users/${cat!.username}/block`);
  const photos = [await api.upload(ann!), await api.upload(cat!)];
  await api.upload(cat!, Buffer.from('this is not a photograph'));
  const annsPost = await api.publish(ann!, [photos[0]!], 'Seen by Ben');
  const catsPost = await api.publish(cat!, [photos[1]!], 'Seen by Ann');
  const gonePost = await api.publish(ann!, [photos[0]!], 'Seen by nobody');
  await world.drained();
  await say(ann!, 'DELETE', `/api/posts/${gonePost}`, 204);
  for (const who of [ben!, cat!]) await say(who, 'POST', `/api/posts/${annsPost}/like`);
  await say(cat!, 'DELETE', `/api/posts/${annsPost}/like`);
  // Gone, with something of theirs in every model.
  await follow(gus!, dan!);
  await api.publish(gus!, [await api.upload(gus!)], 'Seen by nobody any more');
  await say(gus!, 'POST', `/api/posts/${annsPost}/like`);
  await world.drained();
  const { token, password } = gus!;
  expectStatus(await api.call('DELETE', '/api/users/me', { token, body: { password } }), 204);
  await discardLetter(world, { model: 'nobody', topic: 'like-events', partition: 0, offset: 0 });
  await world.drained();
  return { ann: ann!, ben: ben!, cat: cat!, annsPost, catsPost, gonePost };
}
