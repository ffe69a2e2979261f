import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openClock } from '../../command-api/append/clock.ts';
import { envelopeOf } from '../../command-api/append/decision.ts';
import { type FreeShell, runFree } from '../../command-api/append/free.ts';
import type { CommandRequest } from '../../command-api/append/request.ts';
import { openIdempotency } from '../../command-api/guards/idempotency.ts';
import { problem } from '../../command-api/guards/problem.ts';
import { openMasterKey } from '../../platform/vault/master-key.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { ana, ben } from '../harness/events.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

let kit: ProjectionKit;
beforeAll(async () => {
  kit = await openProjectionKit();
});
afterAll(() => kit?.close());

/** What came to the log, which fails as told; a test holds an append back by `gate`. */
let log: Event[];
let failures: number;
let gate: Promise<void>;
let later: number;
let n = 0;
beforeEach(() => {
  log = [];
  failures = 0;
  gate = Promise.resolve();
  later = 0;
  n += 1;
});

const shell = (): FreeShell => ({
  idempotency: openIdempotency(kit.pool, openMasterKey(process.env.EMULSION_MASTER_KEY_FILE!)),
  clock: openClock(() => Date.now() + later),
  writer: {
    async encode(event) {
      const headers = { ce_id: event.meta.id, ce_type: event.type, traceparent: '' };
      return { topic: 'follow-events', key: ana, value: Buffer.from(JSON.stringify(event)), headers };
    },
    async append({ topic, value }) {
      await gate;
      log.push(JSON.parse(value.toString()));
      // The broker has it, and the answer is lost on the way.
      if (failures-- > 0) throw problem('outcome_unknown', 'Repeat the request.');
      return { topic, partition: 0, offset: BigInt(log.length - 1) };
    },
  },
});

const request = (): CommandRequest => ({
  ...{ route: 'followUser', actor: ana, idempotencyKey: `key ${n}`, position: null },
  ...{ correlation: '0af7651916cd43dd8448eb211c80319c', content: { id: ben } },
});

/** Ana follows Ben, whose account is private or not by what is known just now; null: he is not known. */
const follow = (isPrivate: boolean | null, asked = request()) =>
  runFree(shell(), asked, {
    newestSeen: 0,
    decide: (context) => {
      if (isPrivate === null) return { refused: 'user_not_found', detail: 'nobody' };
      const type = isPrivate ? 'FollowRequested' : 'UserFollowed';
      return { type, meta: envelopeOf(context), followerId: ana, followeeId: ben } as Event;
    },
    answer: () => ({ requested: isPrivate }),
  });

it('two requests at once under one key append one and the same event, whatever each of them saw', async () => {
  const held = Promise.withResolvers<void>();
  gate = held.promise;
  const both = [follow(false), follow(true)] as const;
  setTimeout(held.resolve, 100);
  const [first, second] = await Promise.all(both);
  expect(log.length).toBeGreaterThan(0);
  for (const event of log) expect(event).toEqual(log[0]);
  expect(second.body).toEqual(first.body);
  expect(first.body).toEqual({ requested: log[0]!.type === 'FollowRequested' });
});

it('a repeat after an unknown outcome appends what was decided first, to the byte, and answers it', async () => {
  failures = 1;
  await expect(follow(false)).rejects.toMatchObject({ code: 'outcome_unknown' });
  const repeated = await follow(true);
  expect(repeated).toMatchObject({ body: { requested: false }, appended: true });
  expect(log).toHaveLength(2);
  expect(log[1]).toEqual(log[0]);
  expect(await follow(true)).toMatchObject({ body: { requested: false }, appended: false });
  expect(log).toHaveLength(2);
});

it('a repeat long after appends what is right by now where that is something else, and as it was where it is not', async () => {
  failures = 2;
  await expect(follow(false)).rejects.toMatchObject({ code: 'outcome_unknown' });
  later = 120_000;
  await expect(follow(false)).rejects.toMatchObject({ code: 'outcome_unknown' });
  expect(log[1]).toEqual(log[0]);
  expect(await follow(true)).toMatchObject({ body: { requested: true }, appended: true });
  expect(log[2]).toMatchObject({ type: 'FollowRequested' });
  expect(log[2]!.meta.id).not.toBe(log[0]!.meta.id);
  expect(log[2]!.meta.time).toBeGreaterThan(log[0]!.meta.time + 60_000);
  expect(await follow(null)).toMatchObject({ body: { requested: true }, appended: false });
});

it('what is refused by now is not appended long after it was allowed', async () => {
  failures = 1;
  await expect(follow(false)).rejects.toMatchObject({ code: 'outcome_unknown' });
  later = 120_000;
  await expect(follow(null)).rejects.toMatchObject({ code: 'user_not_found' });
  expect(log).toHaveLength(1);
});

it('what was refused stays refused under its key, and is decided anew under another', async () => {
  await expect(follow(null)).rejects.toMatchObject({ code: 'user_not_found' });
  await expect(follow(false)).rejects.toMatchObject({ code: 'user_not_found' });
  expect(log).toEqual([]);
  await follow(false, { ...request(), idempotencyKey: `other ${n}` });
  expect(log).toHaveLength(1);
});

it('a repeat of what an older process has begun decides for itself', async () => {
  const asked = request();
  failures = 1;
  await expect(follow(false, asked)).rejects.toMatchObject({ code: 'outcome_unknown' });
  await kit.pool.query('UPDATE vault.idempotency SET decided = NULL WHERE key = $1', [asked.idempotencyKey]);
  expect(await follow(true, asked)).toMatchObject({ body: { requested: true } });
  expect(log.map(({ meta }) => meta.id)).toEqual([log[0]!.meta.id, log[0]!.meta.id]);
});

it('what was decided is sealed, and goes when it is answered', async () => {
  const kept = async () =>
    (await kit.pool.query('SELECT decided, answer FROM vault.idempotency WHERE key = $1', [`key ${n}`]))
      .rows[0];
  failures = 1;
  await expect(follow(false)).rejects.toMatchObject({ code: 'outcome_unknown' });
  const begun = await kept();
  expect(begun.answer).toBeNull();
  expect(begun.decided.includes('UserFollowed')).toBe(false);
  await follow(false);
  expect(await kept()).toMatchObject({ decided: null, answer: expect.any(Buffer) });
});
