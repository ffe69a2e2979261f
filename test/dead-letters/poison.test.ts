import { readFileSync } from 'node:fs';
import { v7 } from 'uuid';
import { afterEach, expect, test, vi } from 'vitest';
import type { Event } from '../../schemas/generated/events.ts';
import { event } from '../harness/events.ts';
import { dismissMembers } from '../harness/group.ts';
import type { Service } from '../harness/services.ts';
import { expectVerified } from '../harness/verified.ts';
import { startWorld, type World } from '../harness/world.ts';
import { emulsion } from '../operate/cli.ts';
import { expectHealed, openWriter, parkedRows, patience, type Writer } from './stage.ts';

let world: World;
let writer: Writer;
afterEach(async () => {
  await writer?.close();
  await world?.stop();
});

async function openEmptyWorld(): Promise<void> {
  world = await startWorld({ services: ['projectors'] });
  writer = await openWriter(world);
}

const author = v7();
const like = (likerId: string = v7()): Event =>
  event('PostLiked', { postId: v7(), likerId, authorId: author }, Date.now());
const follow = (): Event => {
  const now = Date.now();
  return event('UserFollowed', { followerId: v7(), followeeId: author, followedAt: now }, now);
};

/** Starts a service again whenever it dies, as deploy/native/keep.sh does, until told to end it. */
function keep(service: Service, env: Record<string, string>): { end(): Promise<void> } {
  let kept = true;
  const keeping = (async () => {
    while (kept) {
      await dismissMembers(world, service.name);
      await service.start(env).catch(() => {});
      await service.ended();
    }
  })();
  return {
    async end() {
      kept = false;
      await service.stop();
      await keeping;
    },
  };
}

const deathsOf = ({ logFile }: Service): number =>
  readFileSync(logFile, 'utf8').split('crash point apply').length - 1;

test.each([
  ['a crash in native code', 'abort', 40, {}],
  ['running out of memory', 'oom', 3, { NODE_OPTIONS: '--max-old-space-size=150' }],
])(
  'a record that ends its process by %s is found and parked, it alone; mended, it comes through',
  async (_what, mode, others, env) => {
    await openEmptyWorld();
    const { projectors } = world.services;
    await projectors.stop();
    const killer = like();
    const key = 'likerId' in killer ? killer.likerId : '';
    const rest = Array.from({ length: others }, () => [like(), follow()]).flat();
    const all = [...rest.slice(0, others), killer, like(key), ...rest.slice(others)];
    for (const one of all) await writer.append(one);

    const deadly = keep(projectors, { EMULSION_CRASH_POINT: `apply ${killer.meta.id}:${mode}`, ...env });
    const expected = [
      { consumer: 'likes.v1', key, code: 'kills_process', attempts: 0 },
      { consumer: 'likes.v1', key, code: 'behind_parked_key', attempts: 0 },
    ];
    await vi.waitFor(async () => expect(await parkedRows(world)).toMatchObject(expected), {
      timeout: 240_000,
      interval: 200,
    });
    await world.drained(patience.timeout);
    expect(await parkedRows(world)).toMatchObject(expected);
    // Once among others, and twice alone; more when it was read with many.
    expect(deathsOf(projectors)).toBeGreaterThan(2);
    await expectVerified(world);

    // Tried again as it is it kills once more, and stays where it was without being asked about.
    const deaths = deathsOf(projectors);
    await emulsion(world.env, 'dead-letters', 'retry');
    await vi.waitFor(async () => {
      const [first] = await parkedRows(world);
      expect(first).toMatchObject({ code: 'kills_process', retry: false });
      expect(first!.attempts).toBeGreaterThan(0);
    }, patience);
    expect(deathsOf(projectors)).toBeGreaterThan(deaths);
    await deadly.end();
    await projectors.start();
    // Kafka keeps the partitions of who died for ten seconds, and on a busy machine a retry's patience may end first.
    await vi.waitFor(async () => {
      expect(await emulsion(world.env, 'dead-letters', 'retry')).toMatchObject({ status: 0 });
    }, patience);
    await expectHealed(world);
    const { rows } = await world.owner.query('SELECT FROM likes_v1.post_like');
    expect(rows).toHaveLength(others + 2);
    expect((await world.owner.query('SELECT FROM engine.suspect')).rows).toEqual([]);
  },
  600_000,
);

test('whoever kills a process parks nothing, whether it is at work or idle', async () => {
  await openEmptyWorld();
  const { projectors } = world.services;
  let over = false;
  const writing = (async () => {
    while (!over) await Promise.all([writer.append(like(author)), writer.append(follow())]);
  })();
  for (let i = 0; i < 4; i += 1) {
    await vi.waitFor(async () => {
      const { rows } = await world.owner.query('SELECT FROM engine.position WHERE position > 0');
      expect(rows.length).toBeGreaterThan(0);
    }, patience);
    projectors.signal('SIGKILL');
    await projectors.ended();
    await dismissMembers(world, 'projectors');
    await projectors.start();
  }
  over = true;
  await writing;
  await world.drained(patience.timeout);
  for (let i = 0; i < 2; i += 1) {
    projectors.signal('SIGKILL');
    await projectors.ended();
    await dismissMembers(world, 'projectors');
    await projectors.start();
  }
  await writer.append(like());
  await expectHealed(world);
}, 400_000);
