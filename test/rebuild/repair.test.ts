import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { likes } from '../../projectors/content/like.model.ts';
import type { Installed } from '../../projectors/engine/apply.ts';
import { plainProjection } from '../../projectors/engine/projection.ts';
import { repair } from '../../projectors/engine/rebuild/repair.ts';
import { openBuild } from '../../projectors/engine/runner.ts';
import { installFirst } from '../../projectors/engine/versions.ts';
import type { Played } from '../harness/engine.ts';
import { ana, ben, cleo, event, noon, nth } from '../harness/events.ts';
import { type LoggedEngine, openLoggedEngine } from '../harness/logged.ts';
import { openProjectionKit, type ProjectionKit, type Rows } from '../harness/projection.ts';

const [post, other] = [nth(1), nth(2)];
const liked = (likerId: string, at: number, postId = post) =>
  event('PostLiked', { postId, likerId, authorId: ana }, noon + at);
const unliked = (likerId: string, at: number, postId = post) =>
  event('PostUnliked', { postId, likerId, authorId: ana }, noon + at);
const garbage: Played = { topic: 'like-events', key: cleo, value: Buffer.from('not avro') };

/** As they came: Ana's like is newer than what came after it, and Cleo's key is parked from its second record on. */
const log: Played[] = [liked(ana, 5), unliked(ana, 1), liked(ben, 2), liked(cleo, 3), garbage];
const behind = [unliked(cleo, 9), liked(cleo, 9, other)];

const projection = plainProjection(likes);
let kit: ProjectionKit;
let logged: LoggedEngine;
let installed: Installed;
let right: Rows;
beforeAll(async () => {
  kit = await openProjectionKit();
  logged = await openLoggedEngine(kit);
  installed = await openBuild(kit.pool, likes, (await installFirst(kit.pool, likes))!);
  await logged.project(installed, [...log, ...behind]);
  right = await kit.rows(installed);
});
afterAll(async () => {
  await logged?.close();
  await kit?.close();
});

beforeEach(() => {
  expect(right).toMatchObject({
    post_like: [ana, ben, cleo].map((liker_id) => ({ post_id: post, liker_id, live: true })),
    post_like_count: [{ post_id: post, likes: 3 }],
  });
});

const spoil = (sql: string) => kit.pool.query(sql.replaceAll('$.', `${installed.schema}.`));
const repaired = (scope: Parameters<typeof repair>[2]) =>
  repair({ engine: logged.engine, projections: [projection] }, projection, scope);

it.each([
  ['rows that are gone', 'DELETE FROM $.post_like'],
  ['rows that say something else', 'UPDATE $.post_like SET live = NOT live'],
  [
    'a row that no event explains',
    `INSERT INTO $.post_like SELECT post_id, '${nth(9)}', true, event_time, event_id FROM $.post_like LIMIT 1`,
  ],
  ['a count that is off', 'UPDATE $.post_like_count SET likes = 7'],
  ['a count that is gone', 'DELETE FROM $.post_like_count'],
])(
  '%s are made again by the newest events, whatever lies last in the log, without what is parked',
  async (_, sql) => {
    await spoil(sql);
    await repaired({ id: post });
    expect(await kit.rows(installed)).toEqual(right);
  },
);

it('of one person only their rows are touched', async () => {
  await spoil('UPDATE $.post_like SET live = false');
  await repaired({ id: ben });
  expect(await kit.rows(installed)).toMatchObject({
    post_like: [
      { liker_id: ana, live: false },
      { liker_id: ben, live: true },
      { liker_id: cleo, live: false },
    ],
    post_like_count: [{ likes: 1 }],
  });
  await repaired({ since: 0 });
  expect(await kit.rows(installed)).toEqual(right);
});
