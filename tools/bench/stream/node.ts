import { setTimeout as sleep } from 'node:timers/promises';
import { consumerOf } from '../../../platform/postgres/serving.ts';
import type { Event } from '../../../schemas/generated/events.ts';
import { createRandom } from '../../load/random.ts';
import { appendEvents, epochMs, idAt, likeEvent } from '../likes.ts';
import { startProcess, urlOf, type WorldProcess } from '../process.ts';
import { allClaimed } from '../projectors.ts';
import type { BenchWorld } from '../world.ts';

/** A stream node of the world, and the reactor that tells it what happened. */
export interface StreamNode {
  port: number;
  process: WorldProcess;
}

/** Both as they are started in life; they read from the end of a log that is empty. */
export async function startStreamNode(world: BenchWorld, sockets: number): Promise<StreamNode> {
  startProcess(world, { main: 'projectors/main-reactors.ts', databaseKey: 'PROJECTOR_DATABASE_URL' });
  await allClaimed(world, [consumerOf('stream', 1)]);
  const node = startProcess(world, {
    main: 'query-api/main-stream.ts',
    databaseKey: 'QUERY_DATABASE_URL',
    env: { EMULSION_HOST: '127.0.0.1', EMULSION_STREAM_MAX_SOCKETS: String(sockets + 100) },
  });
  return { port: Number(new URL(await urlOf(node)).port), process: node };
}

/** So many likes to a post of each, every one of somebody else: as many frames for each. */
export function likesTo(userIds: readonly string[], each: number, seed: string): Event[] {
  const random = createRandom(seed);
  return Array.from({ length: userIds.length * each }, (_, n) => {
    const authorId = userIds[n % userIds.length]!;
    const at = epochMs + n;
    const [postId, likerId, eventId] = [idAt(random, at), idAt(random, at), idAt(random, at)];
    return likeEvent({ postId, likerId, authorId, live: true, at, eventId });
  });
}

/** Appends likes and resolves when all of these people's frames are numbered and kept. */
export async function keepFrames(
  world: BenchWorld,
  userIds: readonly string[],
  events: readonly Event[],
): Promise<void> {
  const heads = 'SELECT coalesce(sum(seq), 0)::int AS sum FROM stream.head WHERE user_id = ANY($1::uuid[])';
  const sum = async (): Promise<number> => (await world.owner.query(heads, [userIds])).rows[0].sum;
  const wanted = (await sum()) + events.length;
  await appendEvents(world, events);
  while ((await sum()) < wanted) await sleep(100);
}
