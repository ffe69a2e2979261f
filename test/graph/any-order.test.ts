import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Installed } from '../../projectors/engine/apply.ts';
import { graph } from '../../projectors/graph/follow.model.ts';
import type { Event } from '../../schemas/generated/events.ts';
import { requestWaits } from '../../schemas/graph/tie.ts';
import { ana, ben, cleo, event, noon } from '../harness/events.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';
import type { Fact } from '../oracle/fact.ts';
import { stateOf } from '../oracle/state.ts';

let kit: ProjectionKit;
beforeAll(async () => {
  kit = await openProjectionKit();
});
afterAll(() => kit?.close());

const answers = {
  UserUnfollowed: 'unfollowed',
  FollowRequestDeclined: 'declined',
  FollowRequestCancelled: 'cancelled',
  FollowerRemoved: 'removed',
} as const;

/** An event of the log, and what the oracle is told of it. */
interface Said {
  event: Event;
  fact: Fact;
}

const said = (made: Event, what: Omit<Fact, 'at' | 'id'>): Said => ({
  event: made,
  fact: { at: made.meta.time, id: made.meta.id, ...what } as Fact,
});

const pair = fc
  .record({ one: fc.constantFrom(ana, ben, cleo), other: fc.constantFrom(ana, ben, cleo) })
  .filter(({ one, other }) => one !== other);
// Few distinct times, so that ties are settled by the event id often enough.
const at = fc.integer({ min: 0, max: 6 }).map((n) => noon + n);

const anything: fc.Arbitrary<Said> = fc
  .record({
    pair,
    at,
    since: fc.integer({ min: 0, max: 3 }),
    what: fc.constantFrom('follow', 'ask', 'grant', 'block', 'unblock', ...Object.keys(answers)),
  })
  .map(({ pair: { one, other }, at: t, since: before, what }) => {
    const edge = { followerId: one, followeeId: other };
    const [follower, followee, since] = [one, other, t - before];
    if (what === 'follow')
      return said(event('UserFollowed', { ...edge, followedAt: since }, t), {
        what: 'followed',
        ...{ follower, followee, since },
      } as Fact);
    if (what === 'ask')
      return said(event('FollowRequested', { ...edge, requestedAt: since }, t), {
        what: 'asked',
        ...{ follower, followee, since },
      } as Fact);
    if (what === 'grant')
      return said(event('FollowRequestApproved', edge, t), { what: 'granted', follower, followee } as Fact);
    const ends = { blockerId: one, blockedId: other };
    if (what === 'block')
      return said(event('UserBlocked', { ...ends, blockedAt: since }, t), {
        what: 'blocked',
        ...{ blocker: one, blocked: other, since },
      } as Fact);
    if (what === 'unblock')
      return said(event('UserUnblocked', ends, t), {
        what: 'unblocked',
        ...{ blocker: one, blocked: other },
      } as Fact);
    const type = what as keyof typeof answers;
    return said(event(type, edge, t), { what: answers[type], follower, followee } as Fact);
  });

const history = fc.array(anything, { minLength: 1, maxLength: 30, size: 'max' }).chain((all) =>
  fc.record({
    all: fc.constant(all),
    order: fc.shuffledSubarray(all, { minLength: all.length }),
    rounds: fc.integer({ min: 1, max: 5 }),
  }),
);

/** `who whom since`, sorted, of what stands. */
async function standing({ schema }: Installed) {
  const ms = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::bigint`;
  const lines = async (sql: string): Promise<string[]> =>
    (await kit.pool.query(sql)).rows.map((row) => Object.values(row).join(' ')).sort();
  return {
    follows: await lines(
      `SELECT follower_id, followee_id, ${ms('followed_at')} FROM ${schema}.follow WHERE live`,
    ),
    requests: await lines(
      `SELECT followee_id, follower_id, ${ms('r.requested_at')} FROM ${schema}.follow_request r
       LEFT JOIN ${schema}.follow f USING (follower_id, followee_id) WHERE ${requestWaits}`,
    ),
    blocks: await lines(`SELECT blocker_id, blocked_id, ${ms('blocked_at')} FROM ${schema}.block WHERE live`),
    counts: await lines(
      `SELECT user_id, followers, following FROM ${schema}.follow_count WHERE followers + following > 0`,
    ),
  };
}

function expected(facts: readonly Fact[]) {
  const { following, requests, blocks } = stateOf(facts);
  const linesOf = (map: Map<string, Map<string, number>>): string[] =>
    [...map].flatMap(([who, whom]) => [...whom].map(([id, since]) => `${who} ${id} ${since}`)).sort();
  const follows = linesOf(following).map((line) => line.split(' '));
  const counts = [ana, ben, cleo].map((id) => {
    const followers = follows.filter(([, whom]) => whom === id).length;
    const own = follows.filter(([who]) => who === id).length;
    return followers + own > 0 ? `${id} ${followers} ${own}` : '';
  });
  return {
    follows: linesOf(following),
    requests: linesOf(requests),
    blocks: linesOf(blocks),
    counts: counts.filter((line) => line !== '').sort(),
  };
}

it('whatever the order and the rounds, follows, requests, blocks and counts are what the oracle says', async () => {
  await fc.assert(
    fc.asyncProperty(history, async ({ all, order, rounds }) => {
      const installed = await kit.install(graph);
      const size = Math.ceil(order.length / rounds);
      const parts = Array.from({ length: rounds }, (_, n) => order.slice(n * size, (n + 1) * size));
      await kit.apply(
        installed,
        parts.map((part) => part.map((one) => one.event)),
      );
      expect(await standing(installed)).toEqual(expected(all.map(({ fact }) => fact)));
    }),
    { numRuns: Number(process.env.EMULSION_PROPERTY_RUNS ?? 40) },
  );
});
