import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Client, type Queryable, transaction } from '../../platform/postgres/pool.ts';
import type { Installed } from '../../projectors/engine/apply.ts';
import { keepFrames, postFrames } from '../../projectors/notify/stream.entries.ts';
import { forgetFrames, takeBackFromErased } from '../../projectors/notify/stream.erased.ts';
import {
  type AddressedFrame,
  framesOf,
  streamFacts,
  touchedFacts,
} from '../../projectors/notify/stream.model.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { ana, ben, cleo, event, noon, nth } from '../harness/events.ts';
import { waitsForLock } from '../harness/locks.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

let kit: ProjectionKit;
let installed: Installed;
beforeAll(async () => {
  kit = await openProjectionKit();
});
afterAll(() => kit?.close());
beforeEach(async () => {
  installed = await kit.install(streamFacts);
  await kit.pool.query('TRUNCATE stream.head, stream.entry');
});

const [post, photo] = [nth(1), nth(11)];
const followed = (at: number) =>
  event('UserFollowed', { followerId: ana, followeeId: ben, followedAt: noon + at }, noon + at);
const unfollowed = (at: number) => event('UserUnfollowed', { followerId: ana, followeeId: ben }, noon + at);
const published = (at: number) =>
  event(
    'PostPublished',
    {
      ...{ postId: post, authorId: ben, caption: 'c', location: null, mediaIds: [photo] },
      ...{ isReel: false, hideCounts: false, commentsOff: false },
    },
    noon + at,
  );
const deleted = (at: number) => event('PostDeleted', { postId: post, authorId: ben }, noon + at);
const ready = (at: number) =>
  event(
    'MediaReady',
    {
      ...{ mediaId: photo, ownerId: ben, kind: 'image', width: 4, height: 3, placeholder: 'p' },
      ...{ dominantColor: '#fff', variants: [] },
    },
    noon + at,
  );

/** Projects these one by one, and gives who was told of the post by each. */
async function toldBy(events: readonly Event[]): Promise<string[][]> {
  const told: string[][] = [];
  for (const one of events) {
    await kit.apply(installed, [[one]]);
    const frames = await postFrames(kit.pool, installed.schema, touchedFacts([one]));
    told.push(frames.map(({ userId }) => userId));
  }
  return told;
}

describe('a follower is told of a post', () => {
  it.each([
    ['its media, which is ready last', [followed(1), published(2), ready(3)]],
    ['the post itself', [followed(1), ready(3), published(2)]],
    ['the follow, which comes late', [published(2), ready(3), followed(1)]],
  ])('by %s', async (_, events) => {
    expect(await toldBy(events)).toEqual([[], [], [ana]]);
  });
  it.each([
    ['that was there before they followed', [published(1), ready(2), followed(3)]],
    [
      'that was there before they followed, when its media is ready late',
      [followed(3), published(1), ready(4)],
    ],
    ['whose author they follow no more', [followed(1), unfollowed(2), published(3), ready(4)]],
    ['that is deleted by then', [followed(1), published(2), deleted(3), ready(4)]],
    ['that comes after its deletion', [followed(1), ready(3), deleted(5), published(2)]],
    ['whose media is never ready', [followed(1), published(2)]],
  ])('but not of one %s', async (_, events) => {
    expect((await toldBy(events)).flat()).toEqual([]);
  });
});

/** The client, with something that happens between its first query and its second. */
function beforeTheSecondQuery(client: Client, happen: () => Promise<void>): Queryable {
  let queries = 0;
  const query = async (...given: Parameters<Client['query']>) => {
    queries += 1;
    if (queries === 2) await happen();
    return client.query(...given);
  };
  return { query: query as unknown as Queryable['query'] };
}

describe('frames', () => {
  const frame = (userId: string, n: number): AddressedFrame => ({
    ...framesOf(ready(n))[0]!,
    ...{ userId, eventId: nth(n) },
  });
  const keep = (frames: AddressedFrame[]) => transaction(kit.pool, (client) => keepFrames(client, frames));
  const seqs = (kept: Awaited<ReturnType<typeof keep>>, userId: string) =>
    kept.filter((one) => one.userId === userId).map(({ seq }) => seq);

  it('are numbered for each user from 1 on without a hole, in the order of their times', async () => {
    const kept = await keep([frame(ana, 3), frame(ben, 2), frame(ana, 1)]);
    expect([seqs(kept, ana), seqs(kept, ben)]).toEqual([[1, 2], [1]]);
    const { rows } = await kit.pool.query(
      'SELECT seq, event_id FROM stream.entry WHERE user_id = $1 ORDER BY seq',
      [ana],
    );
    expect(rows).toEqual([
      { seq: 1, event_id: nth(1) },
      { seq: 2, event_id: nth(3) },
    ]);
    expect(seqs(await keep([frame(ana, 5)]), ana)).toEqual([3]);
  });
  it('of an event that a user has had are not kept again, nor counted', async () => {
    await keep([frame(ana, 1)]);
    expect(await keep([frame(ana, 1)])).toEqual([]);
    expect(seqs(await keep([frame(ana, 1), frame(ana, 2), frame(ana, 2)]), ana)).toEqual([2]);
  });
  it('of what is said twice at once tell what is newest, as every model does', async () => {
    const said = (n: number, eventId: string) => ({ ...frame(ana, n), eventId });
    const kept = await keep([said(2, nth(1)), said(3, nth(1)), said(1, nth(1))]);
    expect(kept.map(({ payload }) => payload.time)).toEqual([frame(ana, 3).payload.time]);
  });
  it('of somebody who is erased while they are kept do not stay, whoever is first', async () => {
    const erase = () =>
      kit.pool.query('INSERT INTO vault.erasure (user_id, event_id) VALUES ($1, $2)', [ana, nth(9)]);
    const left = async () =>
      (await kit.pool.query('SELECT FROM stream.entry UNION ALL SELECT FROM stream.head')).rowCount;
    let forgetting: Promise<void> | undefined;
    await transaction(kit.pool, async (client) => {
      const kept = await keepFrames(client, [frame(ana, 1)]);
      expect(await takeBackFromErased(client, kept)).toEqual(kept);
      await erase();
      forgetting = transaction(kit.pool, (other) => forgetFrames(other, [ana]));
      await waitsForLock(kit.pool, forgetting);
    });
    await forgetting;
    expect(await left()).toBe(0);
    await transaction(kit.pool, async (client) => {
      const kept = await keepFrames(client, [frame(ana, 2)]);
      expect(await takeBackFromErased(client, kept)).toEqual([]);
    });
    expect(await left()).toBe(0);
    await kit.pool.query('DELETE FROM vault.erasure');
  });
  it('of two processes at once get numbers one after the other', async () => {
    await keep([frame(ana, 1), frame(cleo, 1)]);
    let second: ReturnType<typeof keep> | undefined;
    const first = await transaction(kit.pool, (client) =>
      keepFrames(
        beforeTheSecondQuery(client, async () => {
          second = keep([frame(ana, 3), frame(ana, 2)]);
          await waitsForLock(kit.pool, second);
        }),
        [frame(ana, 2)],
      ),
    );
    expect([seqs(first, ana), seqs(await second!, ana)]).toEqual([[2], [3]]);
  });
});
