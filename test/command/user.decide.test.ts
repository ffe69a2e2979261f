import { describe, expect, it } from 'vitest';
import { foldEmail, foldUsername } from '../../command-api/account/fold.ts';
import { decideEditProfile, decideRegister } from '../../command-api/account/user.decide.ts';
import { ana, ben, byAna, meta, newId, now } from './given.ts';

const command = {
  username: 'Ana_B',
  email: 'ana@example.org',
  fullName: 'Ana Berg',
  dateOfBirth: '1990-02-28',
  gender: null,
};
const free = { usernameHolder: null, emailHolder: null };

describe('register', () => {
  it('makes the account under the id that was minted for it', () => {
    expect(decideRegister(free, command, byAna())).toEqual({
      type: 'UserRegistered',
      meta,
      userId: newId,
      ...command,
    });
  });
  it('is refused when somebody else holds a name, the username first', () => {
    expect(decideRegister({ ...free, emailHolder: ben }, command, byAna())).toMatchObject({
      refused: 'email_taken',
    });
    expect(decideRegister({ usernameHolder: ben, emailHolder: ben }, command, byAna())).toMatchObject({
      refused: 'username_taken',
    });
  });
  it('of a repeat finds its own claims and gives the same event', () => {
    const own = { usernameHolder: newId, emailHolder: newId };
    expect(decideRegister(own, command, byAna())).toEqual(decideRegister(free, command, byAna()));
  });
  it.each([
    ['the day before the thirteenth birthday', '2013-05-05', false],
    ['the thirteenth birthday', '2013-05-04', true],
  ])('on %s', (_, dateOfBirth, allowed) => {
    const decision = decideRegister(free, { ...command, dateOfBirth }, byAna());
    expect('refused' in decision).toBe(!allowed);
  });
});

describe('edit profile', () => {
  const edit = { fullName: 'Ana Berg', bio: '', website: null, gender: null, avatarMediaId: null };
  it('carries the whole profile', () => {
    expect(decideEditProfile({ avatar: undefined, privateSince: null }, edit, byAna())).toEqual({
      type: 'ProfileEdited',
      meta,
      userId: ana,
      ...edit,
      privateSince: null,
    });
  });
  it.each([
    ['a public account stays public', null, undefined, null],
    ['goes private now', null, true, now],
    ['a private account stays private, since when it was', 17, undefined, 17],
    ['though it is said again', 17, true, 17],
    ['goes public', 17, false, null],
  ])('%s', (_, privateSince, isPrivate, after) => {
    const decided = decideEditProfile({ avatar: undefined, privateSince }, { ...edit, isPrivate }, byAna());
    expect(decided).toMatchObject({ privateSince: after });
    expect(decided).not.toHaveProperty('isPrivate');
  });
  it("takes no avatar that is another's", () => {
    const avatar = { mediaId: 'm1', ownerId: ben, state: 'ready', reason: null } as const;
    expect(
      decideEditProfile({ avatar, privateSince: null }, { ...edit, avatarMediaId: 'm1' }, byAna()),
    ).toMatchObject({
      refused: 'media_not_found',
    });
  });
});

describe('names are compared folded', () => {
  it('without regard to case, width or blanks around an address', () => {
    expect(foldUsername('ANA_b')).toBe('ana_b');
    expect(foldUsername('ａna_b')).toBe('ana_b');
    expect(foldEmail(' Ana@Example.ORG ')).toBe('ana@example.org');
  });
});
