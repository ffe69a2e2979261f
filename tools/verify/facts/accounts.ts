import { type FactSpec, type Row, registerColumns, type Write } from '../spec.ts';
import { erasedPerson, erasedWrites } from './erased.ts';

/** A person whose name can't be revealed was erased; a tombstone is all that is left. */
export const accounts: FactSpec = {
  model: 'accounts',
  definition: 4,
  topics: ['user-events'],
  erasure: { people: 'erased_person', rows: { person: { of: ['user_id'] }, profile: { of: ['user_id'] } } },
  tables: [
    erasedPerson,
    {
      name: 'person',
      key: ['user_id'],
      columns: {
        user_id: 'plain',
        username: 'plain',
        email: 'plain',
        date_of_birth: 'plain',
        ...registerColumns,
      },
      personal: { columns: ['username', 'email', 'date_of_birth'], owner: 'user_id' },
    },
    {
      name: 'profile',
      key: ['user_id'],
      columns: {
        user_id: 'plain',
        full_name: 'plain',
        bio: 'plain',
        website: 'plain',
        gender: 'plain',
        avatar_media_id: 'plain',
        private_since: 'time',
        ...registerColumns,
      },
      personal: { columns: ['full_name', 'bio', 'website', 'gender'], owner: 'user_id' },
    },
  ],
  writes(event): Write[] {
    if (event.type === 'UserRegistered') {
      const erased = event.username === null;
      const person: Row = erased
        ? {}
        : { username: event.username, email: event.email, date_of_birth: event.dateOfBirth };
      const profile: Row = erased ? {} : { full_name: event.fullName, bio: '', gender: event.gender };
      return [
        { table: 'person', row: { user_id: event.userId, ...person }, live: !erased },
        { table: 'profile', row: { user_id: event.userId, ...profile }, live: !erased },
      ];
    }
    if (event.type !== 'ProfileEdited') return erasedWrites(event);
    const erased = event.fullName === null;
    const said = {
      full_name: event.fullName,
      bio: event.bio,
      website: event.website,
      gender: event.gender,
      avatar_media_id: event.avatarMediaId,
      private_since: event.privateSince === null ? null : String(event.privateSince),
    };
    return [{ table: 'profile', row: { user_id: event.userId, ...(erased ? {} : said) }, live: !erased }];
  },
};
