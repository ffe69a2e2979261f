import { describe, expect, it } from 'vitest';
import { unchanged } from '../../command-api/append/decision.ts';
import { decideApprove, decideDecline } from '../../command-api/graph/request.decide.ts';
import { noTie, relationOf, type Tie } from '../../schemas/visibility/visibility.ts';
import { ana, ben, byAna, meta } from './given.ts';

/** Ben, and how he stands to Ana, whose account is private since 5. */
function benWho(tie: Partial<Tie>) {
  const whole = { ...noTie, ...tie };
  const relation = relationOf(ben, ana, { live: true, privateSince: 5 }, whole);
  return { person: { userId: ben, live: true, privateSince: null }, tie: whole, relation };
}

const asks = { requestedAt: 17 };
const edge = { meta, followerId: ben, followeeId: ana };

describe('approve', () => {
  it('is a fact on the edge of who asked', () => {
    expect(decideApprove(benWho(asks), byAna())).toEqual({ type: 'FollowRequestApproved', ...edge });
  });
  it('adds nothing for a follower, who may have left on another device', () => {
    const granted = benWho({ ...asks, followedAt: 17, followSaidAt: 17, approved: true });
    expect(decideApprove(granted, byAna())).toBe(unchanged);
  });
  it('lets in whose follow is newer than the privacy and was granted by nobody, when they ask', () => {
    const slipped = { followedAt: 6, followSaidAt: 6 };
    expect(decideApprove(benWho({ ...slipped, ...asks }), byAna())).toMatchObject({
      type: 'FollowRequestApproved',
    });
    expect(decideApprove(benWho(slipped), byAna())).toMatchObject({ refused: 'follow_request_not_found' });
  });
  it('makes nobody a follower who does not ask', () => {
    expect(decideApprove(benWho({}), byAna())).toMatchObject({ refused: 'follow_request_not_found' });
  });
});

it('declining is a fact on the edge of who asked', () => {
  expect(decideDecline(benWho(asks), byAna())).toEqual({ type: 'FollowRequestDeclined', ...edge });
});

it.each(['blocks', 'isBlocked'])('nobody is answered when one has blocked the other (%s)', (side) => {
  const state = benWho({ ...asks, [side]: true });
  for (const decide of [decideApprove, decideDecline])
    expect(decide(state, byAna())).toMatchObject({ refused: 'user_not_found' });
});
