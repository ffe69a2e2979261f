import { readFileSync } from 'node:fs';
import { v7 } from 'uuid';
import { afterEach, expect, test, vi } from 'vitest';
import type { Event } from '../../schemas/generated/events.ts';
import { openWriter, parkedRows, patience, type Writer } from '../dead-letters/stage.ts';
import { event } from '../harness/events.ts';
import type { Service } from '../harness/services.ts';
import { expectVerified } from '../harness/verified.ts';
import { startWorld, type World } from '../harness/world.ts';

let world: World;
let writer: Writer;
afterEach(async () => {
  await writer?.close();
  await world?.stop();
});

const people = Array.from({ length: 6 }, () => v7());
const posts = people.map((authorId) => ({ postId: v7(), authorId }));
const oneOf = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)]!;
let clock = Date.now();

function published({ postId, authorId }: { postId: string; authorId: string }): Event {
  const fields = { caption: 'c', location: null, isReel: false, hideCounts: false, commentsOff: false };
  return event('PostPublished', { postId, authorId, ...fields, mediaIds: [] }, ++clock);
}

/** Follows and likes that come and go, so that nobody may apply an older one over a newer. */
function act(): Event {
  clock += 1;
  const followerId = oneOf(people);
  const followeeId = oneOf(people.filter((person) => person !== followerId));
  const edge = { followerId, followeeId };
  const like = { ...oneOf(posts), likerId: oneOf(people) };
  return oneOf([
    event('UserFollowed', { ...edge, followedAt: clock }, clock),
    event('UserUnfollowed', edge, clock),
    event('PostLiked', like, clock),
    event('PostUnliked', like, clock),
    published({ postId: v7(), authorId: oneOf(people) }),
  ]);
}

async function openStage(): Promise<void> {
  world = await startWorld({ services: ['projectors'] });
  writer = await openWriter(world);
  for (const post of posts) await writer.append(published(post));
  await world.drained(patience.timeout);
}

async function generations(): Promise<number> {
  const { rows } = await world.owner.query('SELECT sum(generation)::int AS sum FROM engine.position');
  return rows[0].sum;
}

async function held(consumer: string): Promise<number> {
  const { rows } = await world.owner.query(
    `SELECT FROM engine.member WHERE consumer = $1 AND state = 'running' AND seen_at > now() - interval '6 seconds'`,
    [consumer],
  );
  return rows.length;
}

const fencedLines = (service: Service): unknown[] =>
  service.logLines().filter(({ msg }) => msg === 'a round was fenced and left');

/**
 * Freezes a process where it stands, lets another one take its partitions over and go on, then wakes it up again. What
 * the first had in its hands by then is stale.
 */
async function freezeAndWake(point: string, consumer: string): Promise<void> {
  await openStage();
  const { projectors } = world.services;
  await projectors.stop();
  await projectors.start({ EMULSION_CRASH_POINT: `${point}:freeze` });
  let over = false;
  const writing = (async () => {
    while (!over)
      await Promise.all([writer.append(act()), new Promise((resolve) => setTimeout(resolve, 10))]);
  })();
  const said = (): string => readFileSync(projectors.logFile, 'utf8');
  await vi.waitFor(() => expect(said()).toContain(`crash point ${point}`), patience);

  const before = await generations();
  const second = await world.another('projectors');
  await second.start();
  await vi.waitFor(async () => {
    const { rows } = await world.owner.query('SELECT count(*)::int AS partitions FROM engine.position');
    expect(await generations()).toBeGreaterThanOrEqual(before + rows[0].partitions);
  }, patience);
  const positions = async (): Promise<number> =>
    (
      await world.owner.query('SELECT sum(position)::int AS sum FROM engine.position WHERE consumer = $1', [
        consumer,
      ])
    ).rows[0].sum;
  const reached = await positions();
  await vi.waitFor(async () => expect(await positions()).toBeGreaterThan(reached + 20), patience);

  projectors.signal('SIGCONT');
  await vi.waitFor(() => expect(fencedLines(projectors)).not.toEqual([]), patience);
  await vi.waitFor(async () => expect(await held(consumer)).toBe(2), patience);
  over = true;
  await writing;
  await world.drained(patience.timeout);
  expect(await parkedRows(world)).toEqual([]);
  await expectVerified(world);
}

test('who is frozen with records in its hands writes nothing once they are somebody else’s', async () => {
  await freezeAndWake('model.fetched', 'likes.v1');
}, 400_000);

test('who is frozen between its rows and Redis writes no timeline over a newer one', async () => {
  await freezeAndWake('timelines.committed', 'timelines.v1');
}, 400_000);

test('who is frozen in the middle of a transaction does not hold its partitions for ever', async () => {
  await freezeAndWake('timelines.applied', 'timelines.v1');
}, 400_000);
