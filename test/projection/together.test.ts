import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, transaction } from '../../platform/postgres/pool.ts';
import { savePositions } from '../../platform/postgres/positions.ts';
import { createDataKey } from '../../platform/vault/data-keys.ts';
import { accounts } from '../../projectors/account/user.model.ts';
import { likes } from '../../projectors/content/like.model.ts';
import { posts } from '../../projectors/content/post.model.ts';
import { applyRound, settleRows } from '../../projectors/engine/apply.ts';
import { batchesOf, claimAll, openTestEngine, type TestEngine } from '../harness/engine.ts';
import { ana, ben, cleo, event, noon, nth } from '../harness/events.ts';
import { waitsForLock } from '../harness/locks.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

let kit: ProjectionKit;
let engine: TestEngine;
beforeAll(async () => {
  kit = await openProjectionKit();
  engine = await openTestEngine(kit);
});
afterAll(() => kit.close());

const begin = <T>(work: (client: Client) => Promise<T>): Promise<T> => transaction(kit.pool, work);

it('rows are written in the order of their keys, so that two rounds never wait for each other in a ring', async () => {
  const installed = await kit.install(likes);
  const liked = (likerId: string, at: number) =>
    event('PostLiked', { postId: nth(1), likerId, authorId: ben }, noon + at);
  await kit.apply(installed, [[liked(ana, 1), liked(cleo, 1)]]);
  const lock = (client: Client, likerId: string) =>
    client.query(`SELECT FROM ${installed.schema}.post_like WHERE liker_id = $1 FOR UPDATE NOWAIT`, [
      likerId,
    ]);
  let written: Promise<void> | undefined;
  await begin(async (client) => {
    await lock(client, ana);
    written = kit.apply(installed, [[liked(cleo, 2), liked(ana, 2)]]);
    await waitsForLock(kit.pool, written);
    // Of a row that comes after the one it waits for it has taken nothing.
    await lock(client, cleo);
  });
  await written;
});

it('of a post and its media that are applied at once, the later sees the earlier', async () => {
  const installed = await kit.install(posts);
  const published = event(
    'PostPublished',
    {
      ...{ postId: nth(1), authorId: ana, mediaIds: [nth(11)], caption: 'c', location: null },
      ...{ isReel: false, hideCounts: false, commentsOff: false },
    },
    noon,
  );
  const ready = event(
    'MediaReady',
    {
      ...{ mediaId: nth(11), ownerId: ana, kind: 'image', width: 1, height: 1, placeholder: '' },
      ...{ dominantColor: '', variants: [] },
    },
    noon,
  );
  let second: Promise<void> | undefined;
  await begin(async (client) => {
    await settleRows(client, installed, [published]);
    second = begin((other) => settleRows(other, installed, [ready]));
    await waitsForLock(kit.pool, second);
  });
  await second;
  expect(await kit.rows(installed)).toMatchObject({
    post: [{ visible: true }],
    author_post_count: [{ author_id: ana, posts: 1 }],
  });
});

it.each(['the like', 'the erasure'])(
  'of a like and the erasure of who gave it, both at once and %s first, the later sees the earlier',
  async (first) => {
    const installed = await kit.install(likes);
    const liked = event('PostLiked', { postId: nth(1), likerId: ana, authorId: ben }, noon);
    const erasure = event('UserErased', { userId: ana }, noon);
    const order = first === 'the like' ? [liked, erasure] : [erasure, liked];
    let second: Promise<void> | undefined;
    await begin(async (client) => {
      await settleRows(client, installed, [order[0]!]);
      second = begin((other) => settleRows(other, installed, [order[1]!]));
      await waitsForLock(kit.pool, second);
    });
    await second;
    expect(await kit.rows(installed)).toMatchObject({
      post_like: [{ liker_id: ana, live: false }],
      post_like_count: [{ post_id: nth(1), likes: 0 }],
    });
  },
);

it('an account can not be erased while what its key revealed is being written', async () => {
  const installed = await kit.install(accounts);
  await claimAll(kit, installed);
  const key = await createDataKey(kit.pool, engine.master, ana);
  const person = { userId: ana, username: 'ana', email: 'a@example.org', fullName: 'Ana' };
  const registered = event('UserRegistered', { ...person, dateOfBirth: '1990-05-17', gender: null }, noon);
  const [batches] = batchesOf(engine, [[engine.codec.encode(registered, key)]]);
  let erased: Promise<unknown> | undefined;
  await applyRound(engine, installed, batches!, {
    fence: savePositions,
    write: settleRows,
    async inTransaction() {
      erased = kit.pool.query('DELETE FROM vault.data_key WHERE owner = $1', [ana]);
      await waitsForLock(kit.pool, erased);
    },
    committed: async () => {},
  });
  expect(await kit.rows(installed)).toMatchObject({ person: [{ username: 'ana' }] });
  await erased;
});
