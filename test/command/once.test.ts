import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  type Answer,
  type Idempotency,
  type Minted,
  openIdempotency,
} from '../../command-api/guards/idempotency.ts';
import { once } from '../../command-api/guards/once.ts';
import { openMasterKey } from '../../platform/vault/master-key.ts';
import { ana, ben, nth } from '../harness/events.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

let kit: ProjectionKit;
let idempotency: Idempotency;
beforeAll(async () => {
  kit = await openProjectionKit();
  idempotency = openIdempotency(kit.pool, openMasterKey(process.env.EMULSION_MASTER_KEY_FILE!));
});
afterAll(() => kit?.close());

let tried: Minted[];
let n = 0;
beforeEach(() => {
  tried = [];
  n += 1;
});

const minted = (id: number): Minted => ({ eventId: nth(id), newId: nth(id + 50), time: id });
const request = (id: number, canonical = 'a like', actor = ana) => ({
  ...{ key: { actor, route: 'likePost', key: `key ${n}` }, canonical, mint: minted(id), decided: null },
});
const done = (body: string): Answer => ({
  outcome: 'done',
  body,
  position: { positions: [{ topic: 'like-events', partition: 1, offset: 7n }], time: 5 },
});
const refused: Answer = {
  outcome: 'refused',
  refusal: { refused: 'post_not_found', detail: 'gone' } as never,
};

/** Runs the command, which ends like this. */
const run = (asked: ReturnType<typeof request>, answer: Answer | Error) =>
  once(idempotency, asked, async (mint) => {
    tried.push(mint);
    if (answer instanceof Error) throw answer;
    return answer;
  });

it('a repeat whose answer is not known runs again with what was minted first', async () => {
  await expect(run(request(1), new Error('outcome unknown'))).rejects.toThrow('outcome unknown');
  expect(await run(request(2), done('liked'))).toMatchObject({ body: 'liked', minted: minted(1) });
  expect(tried).toEqual([minted(1), minted(1)]);
});

it('a repeat whose answer is known gets it, position and all, and nothing is run', async () => {
  const first = await run(request(1), done('liked'));
  expect(await run(request(2), done('again'))).toEqual(first);
  expect(tried).toHaveLength(1);
});

it('a refusal is kept as well', async () => {
  for (const id of [1, 2])
    await expect(run(request(id), refused)).rejects.toMatchObject({ code: 'post_not_found' });
  expect(tried).toHaveLength(1);
});

it('another request under the same key is refused, and does nothing', async () => {
  await run(request(1), done('liked'));
  const other = run(request(2, 'another like'), done('other'));
  await expect(other).rejects.toMatchObject({ code: 'idempotency_key_reused', status: 422 });
  expect(tried).toHaveLength(1);
});

it('somebody else’s key of the same name is another key', async () => {
  await run(request(1), done('liked'));
  expect(await run(request(2, 'a like', ben), done('liked too'))).toMatchObject({ minted: minted(2) });
});

it('of two tries at once the one that was accepted stands, whichever ends last', async () => {
  const { key, canonical, mint } = request(1);
  await idempotency.begin(key, canonical, mint, null);
  expect(await idempotency.settle(key, done('liked'))).toMatchObject({ body: 'liked' });
  expect(await idempotency.settle(key, refused)).toMatchObject({ outcome: 'done', body: 'liked' });
  expect(await run(request(2), refused)).toMatchObject({ body: 'liked' });
});
