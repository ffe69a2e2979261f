import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { keys } from '../../tools/checks/keys.ts';
import { modelTests } from '../../tools/checks/model-tests.ts';
import { routes } from '../../tools/checks/routes.ts';
import { plantedCopy } from './planted.ts';

let copy: ReturnType<typeof plantedCopy>;
afterEach(() => copy.remove());

type Edit = [file: string, from: string | RegExp, to: string];

async function findings(check: typeof keys, ...edits: Edit[]): Promise<string> {
  copy = plantedCopy({});
  for (const [file, from, to] of edits) {
    const target = path.join(copy.root, file);
    const before = readFileSync(target, 'utf8');
    writeFileSync(target, before.replace(from, to));
    expect(readFileSync(target, 'utf8')).not.toBe(before);
  }
  return (await check.run(copy.root)).findings.join('\n');
}

const likeModel = 'projectors/content/like.model.ts';

describe('keys', () => {
  it('finds nothing as it stands', async () => {
    expect(await findings(keys)).toBe('');
  });

  it('lets events that share their key write a row that does not merge', async () => {
    const file = 'projectors/content/post.model.ts';
    expect(
      await findings(keys, [file, "registers: [erasedPeople, 'post',", 'registers: [erasedPeople,']),
    ).toBe('');
  });

  it.each<[what: string, edits: Edit[], why: RegExp]>([
    [
      'a row that events of different keys write and that does not merge',
      [
        [likeModel, "registers: [erasedPeople, 'post_like']", 'registers: [erasedPeople]'],
        [
          likeModel,
          "PostUnliked: (event) => [remove('post_like', { post_id: event.postId, liker_id: event.likerId })]",
          "PostUnliked: (event) => [remove('post_like', { post_id: event.likerId, liker_id: event.postId })]",
        ],
      ],
      /likes\.post_like is written by events of different keys \(PostLiked, PostUnliked\)/,
    ],
    [
      'a register without a tombstone',
      [['schemas/content/like.sql', /\n {2}live +boolean[^\n]*/, '']],
      /post_like lacks live/,
    ],
    [
      'an event of a topic that is not read',
      [[likeModel, "topics: ['like-events', ", "topics: ['post-events', "]],
      /takes PostLiked, but reads no topic/,
    ],
    [
      'a counter by what may change',
      [[likeModel, "key: { post_id: 'post_id' }", "key: { post_id: 'event_id' }"]],
      /counts post_like by event_id/,
    ],
  ])('finds %s', async (_what, edits, why) => {
    expect(await findings(keys, ...edits)).toMatch(why);
  });
});

describe('routes', () => {
  const likeRoute = 'command-api/content/like.route.ts';

  it('finds nothing as it stands', async () => {
    expect(await findings(routes)).toBe('');
  });

  it.each<[what: string, edits: Edit[], why: RegExp]>([
    [
      'a contract without a handler',
      [[likeRoute, 'handle(likePost,', 'forget(likePost,']],
      /likePost has no handler in command-api/,
    ],
    [
      'a contract with two',
      [[likeRoute, 'handle(unlikePost,', 'handle(likePost,']],
      /likePost has 2 handlers/,
    ],
    [
      'a handler of no contract',
      [[likeRoute, 'handle(likePost,', 'handle(lovePost,']],
      /handles lovePost, which is no contract/,
    ],
    [
      'a contract that is not listed',
      [['schemas/routes.ts', '  likePost,\n', '']],
      /likePost is not in allRoutes/,
    ],
    [
      'two contracts of one address',
      [['schemas/content/like.http.ts', "method: 'delete'", "method: 'post'"]],
      /belongs to likePost and unlikePost/,
    ],
  ])('finds %s', async (_what, edits, why) => {
    expect(await findings(routes, ...edits)).toMatch(why);
  });
});

describe('model tests', () => {
  const likeTest = 'test/content/like.model.test.ts';

  it('finds nothing as it stands', async () => {
    expect(await findings(modelTests)).toBe('');
  });

  it.each<[what: string, edits: Edit[], why: RegExp]>([
    [
      'a model whose cases are of another one',
      [[likeTest, /projected\(likes/g, 'projected(posts']],
      /like\.model\.test\.ts has no case of likes/,
    ],
    [
      'cases that do without the kit',
      [[likeTest, 'import { openProjected }', 'import { openProjectionKit }']],
      /like\.model\.test\.ts does not use openProjected/,
    ],
  ])('finds %s', async (_what, edits, why) => {
    expect(await findings(modelTests, ...edits)).toMatch(why);
  });

  it('finds a model without any', async () => {
    copy = plantedCopy({});
    rmSync(path.join(copy.root, likeTest));
    expect((await modelTests.run(copy.root)).findings.join()).toMatch(/like\.model\.test\.ts is missing/);
  });
});
