import { describe, expect, it } from 'vitest';
import { accounts } from '../../projectors/account/user.model.ts';
import { ana, ben, erased, event, noon, nth } from '../harness/events.ts';
import { openProjected } from '../harness/projection.ts';

const projected = openProjected();

const registered = (userId: string, username: string, at: number) =>
  event(
    'UserRegistered',
    {
      ...{ userId, username, email: `${username}@example.org`, fullName: 'A Name' },
      ...{ dateOfBirth: '1990-05-17', gender: 'f' },
    },
    noon + at,
  );
const edited = (
  userId: string,
  fullName: string,
  at: number,
  id?: string,
  privateSince: number | null = null,
) =>
  event(
    'ProfileEdited',
    {
      ...{ userId, fullName, bio: `${fullName}.`, website: 'https://a.example' },
      gender: null,
      avatarMediaId: nth(5),
      privateSince,
    },
    noon + at,
    id,
  );

const gone = { username: null, email: null, date_of_birth: null, live: false };
const blank = { full_name: null, bio: null, website: null, gender: null, avatar_media_id: null, live: false };

describe('a registration', () => {
  it('makes the person and the first profile', async () => {
    expect(await projected(accounts, [registered(ana, 'ana', 1)])).toMatchObject({
      person: [
        { user_id: ana, username: 'ana', email: 'ana@example.org', date_of_birth: '1990-05-17', live: true },
      ],
      profile: [{ user_id: ana, full_name: 'A Name', bio: '', website: null, gender: 'f', live: true }],
    });
  });
  it('of a name that another has had is nothing special: the vault keeps names apart', async () => {
    expect(await projected(accounts, [registered(ana, 'ana', 1), registered(ben, 'ana', 2)])).toMatchObject({
      person: [
        { user_id: ana, username: 'ana' },
        { user_id: ben, username: 'ana' },
      ],
    });
  });
});

describe('an edit', () => {
  it('says the whole profile, and nothing of the person', async () => {
    expect(await projected(accounts, [registered(ana, 'ana', 1), edited(ana, 'Ana', 2)])).toMatchObject({
      person: [{ username: 'ana', event_time: '2026-01-15T12:00:00.001+00:00' }],
      profile: [
        {
          ...{ full_name: 'Ana', bio: 'Ana.', website: 'https://a.example' },
          ...{ gender: null, avatar_media_id: nth(5), live: true },
        },
      ],
    });
  });
  it('says since when the account is private, or that it is public', async () => {
    const since = noon + 1;
    const secret = edited(ana, 'Ana', 2, undefined, since);
    expect(await projected(accounts, [secret])).toMatchObject({
      profile: [{ private_since: '2026-01-15T12:00:00.001+00:00' }],
    });
    expect(await projected(accounts, [secret, edited(ana, 'Ana', 3)])).toMatchObject({
      profile: [{ private_since: null }],
    });
  });
  it('loses to a newer one, and to one of the same moment whose id is larger', async () => {
    const events = [
      edited(ana, 'Third', 3, nth(2)),
      edited(ana, 'Other', 3, nth(1)),
      edited(ana, 'Second', 2),
    ];
    expect(await projected(accounts, events)).toMatchObject({
      person: [],
      profile: [{ full_name: 'Third' }],
    });
  });
});

describe('of an account that was erased', () => {
  it('a registration leaves tombstones, which hold nothing', async () => {
    expect(
      await projected(accounts, [erased(registered(ana, 'ana', 1)), registered(ben, 'ben', 1)]),
    ).toMatchObject({
      person: [
        { user_id: ana, ...gone },
        { user_id: ben, username: 'ben', live: true },
      ],
      profile: [
        { user_id: ana, ...blank },
        { user_id: ben, live: true },
      ],
    });
  });
  it('no edit says anything either', async () => {
    const events = [registered(ana, 'ana', 1), edited(ana, 'Ana', 2)].map(erased);
    expect(await projected(accounts, events)).toMatchObject({ person: [gone], profile: [blank] });
  });
  it('that still could be read nothing stays, whatever is said later', async () => {
    const erasure = event('UserErased', { userId: ana }, noon + 2);
    const events = [registered(ana, 'ana', 1), erasure, edited(ana, 'Ana', 3)];
    expect(await projected(accounts, events)).toMatchObject({ person: [gone], profile: [blank] });
  });
});
