import { defineModel, erase, erasedPeople, isoTime, put, remove } from '../engine/model.ts';

/** People and their profiles. Where the name can't be revealed any more, the account was erased: a tombstone stays. */
export const accounts = defineModel({
  name: 'accounts',
  version: 4,
  topics: ['user-events'],
  sqlFile: 'account/user.sql',
  registers: [erasedPeople, 'person', 'profile'],
  counters: [],
  erasure: { people: erasedPeople, rows: { person: ['user_id'], profile: ['user_id'] } },
  on: {
    UserRegistered: (event) =>
      event.username === null
        ? [remove('person', { user_id: event.userId }), remove('profile', { user_id: event.userId })]
        : [
            put('person', {
              user_id: event.userId,
              username: event.username,
              email: event.email,
              date_of_birth: event.dateOfBirth,
            }),
            put('profile', {
              user_id: event.userId,
              full_name: event.fullName,
              bio: '',
              gender: event.gender,
            }),
          ],
    ProfileEdited: (event) =>
      event.fullName === null
        ? [remove('profile', { user_id: event.userId })]
        : [
            put('profile', {
              user_id: event.userId,
              full_name: event.fullName,
              bio: event.bio,
              website: event.website,
              gender: event.gender,
              avatar_media_id: event.avatarMediaId,
              private_since: event.privateSince === null ? null : isoTime(event.privateSince),
            }),
          ],
    UserErased: erase,
  },
});
