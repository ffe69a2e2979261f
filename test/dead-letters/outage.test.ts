import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Door, openDoor } from '../harness/door.ts';
import { event } from '../harness/events.ts';
import type { ServiceName } from '../harness/services.ts';
import { startWorld, type World } from '../harness/world.ts';
import { emulsion } from '../operate/cli.ts';
import { expectHealed, openWriter, parkedRows, patience, type Writer } from './stage.ts';

const services: ServiceName[] = ['projectors', 'reactors', 'media-pipeline'];
let world: World;
let writer: Writer;
let door: Door;

beforeAll(async () => {
  const { PROJECTOR_DATABASE_URL, MEDIA_DATABASE_URL, ...others } = process.env;
  door = await openDoor(new URL(PROJECTOR_DATABASE_URL!).host);
  // Only the consumers' way to Postgres leads through the door: tests and commands are let in always.
  const through = (url: string): string => Object.assign(new URL(url), { host: door.address }).href;
  process.env.PROJECTOR_DATABASE_URL = through(PROJECTOR_DATABASE_URL!);
  process.env.MEDIA_DATABASE_URL = through(MEDIA_DATABASE_URL!);
  try {
    world = await startWorld({ services });
  } finally {
    Object.assign(process.env, others, { PROJECTOR_DATABASE_URL, MEDIA_DATABASE_URL });
  }
  writer = await openWriter(world);
}, 120_000);

afterAll(async () => {
  await door?.open();
  await writer?.close();
  await world?.stop();
  await door?.close();
});

const author = v7();
const reader = v7();

/** Once an outage was met by a round, or by whoever looked for one. */
async function untilMet(name: ServiceName, before: number): Promise<void> {
  await vi.waitFor(() => expect(complaints(name)).toBeGreaterThan(before), patience);
}

function complaints(name: ServiceName): number {
  return world.services[name].logLines().filter(({ level }) => level === 'warn').length;
}

test('an outage of Postgres parks nothing, and what was parked before is healed through the next ones', async () => {
  await world.owner.query(
    `ALTER TABLE graph_v1.follow ADD CONSTRAINT wrong CHECK (follower_id <> '${reader}') NOT VALID`,
  );
  let over = false;
  const write = async (): Promise<void> => {
    const now = Date.now();
    await writer.append(
      event('UserFollowed', { followerId: reader, followeeId: v7(), followedAt: now }, now),
    );
    await writer.append(event('PostLiked', { postId: v7(), likerId: v7(), authorId: author }, now));
    await writer.append(event('MediaUploaded', { mediaId: v7(), ownerId: v7(), objectKey: 'o/none' }, now));
  };
  const writing = (async () => {
    while (!over) await Promise.all([write(), new Promise((resolve) => setTimeout(resolve, 20))]);
  })();
  await vi.waitFor(
    async () => expect((await parkedRows(world, 'graph.v1')).length).toBeGreaterThan(2),
    patience,
  );

  for (let outage = 0; outage < 4; outage += 1) {
    const before = services.map(complaints);
    if (outage % 2) door.silence();
    else await door.shut();
    if (outage === 1) await world.owner.query('ALTER TABLE graph_v1.follow DROP CONSTRAINT wrong');
    // A retry is asked for in the middle of it.
    if (outage > 0) await world.owner.query('UPDATE engine.parked SET retry = true');
    if (outage % 2 === 0)
      for (const [index, name] of services.entries()) await untilMet(name, before[index]!);
    await door.open();
    if (outage % 2) await door.shut();
    await door.open();
    const reached = await positions();
    await vi.waitFor(async () => expect(await positions()).toBeGreaterThan(reached + 20), patience);
    const parked = await parkedRows(world);
    expect(parked.filter(({ consumer, key }) => consumer !== 'graph.v1' || key !== reader)).toEqual([]);
  }
  over = true;
  await writing;
  await vi.waitFor(async () => {
    await emulsion(world.env, 'dead-letters', 'retry', '--yes');
    expect(await parkedRows(world)).toEqual([]);
  }, patience);
  await expectHealed(world);
}, 400_000);

async function positions(): Promise<number> {
  const { rows } = await world.owner.query('SELECT sum(position)::int AS sum FROM engine.position');
  return rows[0].sum;
}
