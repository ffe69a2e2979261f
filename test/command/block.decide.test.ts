import { describe, expect, it } from 'vitest';
import { type BlockState, decideBlock, decideUnblock } from '../../command-api/graph/block.decide.ts';
import { noTie, relationOf, type Tie } from '../../schemas/visibility/visibility.ts';
import { ana, ben, byAna, meta, now } from './given.ts';

function someone(userId: string, tie: Partial<Tie> = {}, blockedAt: number | null = null): BlockState {
  const person = { userId, live: true, privateSince: null };
  const whole = { ...noTie, ...tie };
  return { person, tie: whole, relation: relationOf(ana, userId, person, whole), blockedAt };
}

const nobody: BlockState = { person: null, tie: noTie, relation: 'stranger', blockedAt: null };
const pair = { meta, blockerId: ana, blockedId: ben };

describe('block', () => {
  it('is a fact of who blocks', () => {
    expect(decideBlock(someone(ben), byAna())).toEqual({ type: 'UserBlocked', ...pair, blockedAt: now });
  });
  it('said again carries the time of the first', () => {
    expect(decideBlock(someone(ben, { blocks: true }, 17), byAna())).toMatchObject({ blockedAt: 17 });
  });
  it('is refused for oneself, and for nobody, whom somebody is that has blocked', () => {
    expect(decideBlock(someone(ana), byAna())).toMatchObject({ refused: 'self_block' });
    expect(decideBlock(nobody, byAna())).toMatchObject({ refused: 'user_not_found' });
    expect(decideBlock(someone(ben, { isBlocked: true }), byAna())).toMatchObject({
      refused: 'user_not_found',
    });
  });
});

describe('unblock', () => {
  it.each([
    ['of who is blocked', {}],
    ['of who has blocked, too', { isBlocked: true }],
  ])('%s is a fact of who blocks', (_, tie) => {
    const state = someone(ben, { blocks: true, ...tie });
    expect(decideUnblock(state, byAna())).toEqual({ type: 'UserUnblocked', ...pair });
  });
  it('is refused for oneself, and for nobody, whom somebody is that has blocked', () => {
    expect(decideUnblock(someone(ana), byAna())).toMatchObject({ refused: 'self_block' });
    expect(decideUnblock(nobody, byAna())).toMatchObject({ refused: 'user_not_found' });
    expect(decideUnblock(someone(ben, { isBlocked: true }), byAna())).toMatchObject({
      refused: 'user_not_found',
    });
  });
});
