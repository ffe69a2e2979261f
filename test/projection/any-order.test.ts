import fc from 'fast-check';
import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Model } from '../../projectors/engine/model.ts';
import { models } from '../../projectors/registry.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';
import { letterId } from '../../schemas/operator/dead-letter.ts';
import { erased, event, noon } from '../harness/events.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

let kit: ProjectionKit;
beforeAll(async () => {
  kit = await openProjectionKit();
});
afterAll(() => kit.close());

const people = Array.from({ length: 4 }, (_, i) => v7({ msecs: noon - 1_000 + i }));
const posts = people.flatMap((author, i) =>
  [0, 1].map((n) => ({ id: v7({ msecs: noon + 10 * i + n }), author })),
);
const photos = people.flatMap((owner, i) =>
  [0, 1].map((n) => ({ id: v7({ msecs: noon + 100 + 10 * i + n }), owner })),
);

/** Who may be erased; the others stay, or nothing would be left to be compared. */
const leaver = people[0]!;

const person = fc.constantFrom(...people);
const post = fc.constantFrom(...posts);
const photo = fc.constantFrom(...photos);
// Few distinct times, so that ties are settled by the event id often enough.
const at = fc.integer({ min: 0, max: 5 }).map((n) => noon + n);

const reveal = { bio: 'b', website: null, gender: null, avatarMediaId: null };
const sometime = fc.option(at);
const answers = [
  'FollowRequestApproved',
  'FollowRequestDeclined',
  'FollowRequestCancelled',
  'FollowerRemoved',
] as const;
const facts: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ userId: person, at }).map(({ userId, at: t }) =>
    event(
      'UserRegistered',
      {
        userId,
        username: `u${userId}`,
        email: `${userId}@x`,
        fullName: 'N',
        dateOfBirth: '1990-01-01',
        gender: null,
      },
      t,
    ),
  ),
  fc
    .record({ userId: person, at, fullName: fc.constantFrom('A', 'B'), privateSince: sometime })
    .map(({ at: t, ...rest }) => event('ProfileEdited', { ...rest, ...reveal }, t)),
  fc
    .record({ followerId: person, followeeId: person, at, on: fc.boolean() })
    .map(({ at: t, on, ...edge }) =>
      on ? event('UserFollowed', { ...edge, followedAt: t - 1 }, t) : event('UserUnfollowed', edge, t),
    ),
  fc
    .record({ followerId: person, followeeId: person, at, what: fc.constantFrom(...answers) })
    .map(({ at: t, what, ...edge }) => event(what, edge, t)),
  fc
    .record({ followerId: person, followeeId: person, at })
    .map(({ at: t, ...edge }) => event('FollowRequested', { ...edge, requestedAt: t - 1 }, t)),
  fc
    .record({ blockerId: person, blockedId: person, at, on: fc.boolean() })
    .map(({ at: t, on, ...pair }) =>
      on ? event('UserBlocked', { ...pair, blockedAt: t - 1 }, t) : event('UserUnblocked', pair, t),
    ),
  fc
    .record({ post, likerId: person, at, on: fc.boolean() })
    .map(({ post: p, likerId, at: t, on }) =>
      event(on ? 'PostLiked' : 'PostUnliked', { postId: p.id, likerId, authorId: p.author }, t),
    ),
  fc.record({ post, at, media: fc.subarray([0, 1], { minLength: 1 }) }).map(({ post: p, at: t, media }) =>
    event(
      'PostPublished',
      {
        postId: p.id,
        authorId: p.author,
        caption: 'c',
        location: null,
        isReel: false,
        hideCounts: false,
        commentsOff: false,
        mediaIds: media.map((n) => photos.filter((ph) => ph.owner === p.author)[n]!.id),
      },
      t,
    ),
  ),
  fc
    .record({ post, at })
    .map(({ post: p, at: t }) => event('PostDeleted', { postId: p.id, authorId: p.author }, t)),
  fc.record({ photo, at }).map(({ photo: p, at: t }) =>
    event(
      'MediaReady',
      {
        mediaId: p.id,
        ownerId: p.owner,
        kind: 'image',
        width: 1,
        height: 1,
        placeholder: '',
        dominantColor: '',
        variants: [],
      },
      t,
    ),
  ),
  fc
    .record({ photo, at })
    .map(({ photo: p, at: t }) => event('MediaRejected', { mediaId: p.id, ownerId: p.owner, code: 'x' }, t)),
  fc.record({ at }).map(({ at: t }) => event('UserErased', { userId: leaver }, t)),
  fc
    .record({ offset: fc.nat({ max: 2 }), at, reason: fc.constantFrom(null, 'spam'), on: fc.boolean() })
    .map(({ offset, at: t, reason, on }) => {
      const place = { model: 'likes', topic: 'like-events', partition: 0, offset };
      const letter = { ...place, letterId: letterId(place) };
      return on
        ? event('DeadLetterEdited', { ...letter, replacement: Buffer.from('r') }, t)
        : event('DeadLetterDiscarded', { ...letter, reason }, t);
    }),
);

/**
 * The same events again: some twice, in any order across keys (and within), cut into rounds anywhere. `size`: unless
 * told, fast-check keeps to about ten, in which hardly anything meets.
 */
const history = fc.array(facts, { minLength: 1, maxLength: 40, size: 'max' }).chain((events) =>
  fc.record({
    events: fc.constant(events),
    again: fc.shuffledSubarray([...events, ...events], { minLength: events.length }),
    cuts: fc.array(fc.nat({ max: 60 }), { maxLength: 6 }),
  }),
);

function rounds(events: readonly Event[], cuts: readonly number[]): Event[][] {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (events.length + 1)), events.length])].sort(
    (a, b) => a - b,
  );
  return at.slice(1).map((end, i) => events.slice(at[i], end));
}

/** As a later reading of the log gives it: of who was erased nothing personal can be revealed. */
function readAgain(events: readonly Event[], own: Event): Event {
  const { owner }: { owner: string | null } = eventCatalog[own.type];
  const whose = owner && (own as unknown as Record<string, unknown>)[owner];
  const isErased = events.some(({ type }) => type === 'UserErased') && whose === leaver;
  return isErased ? erased(own) : own;
}

const takes =
  (model: Model) =>
  (e: Event): boolean =>
    (model.topics as readonly string[]).includes(eventCatalog[e.type].topic);

for (const model of models) {
  test(`${model.name}: twice, in any order, in any split, the tables are the same`, async () => {
    await fc.assert(
      fc.asyncProperty(history, async ({ events, again, cuts }) => {
        const mine = events.filter(takes(model));
        const once = await kit.install(model);
        await kit.apply(once, [mine]);
        const other = await kit.install(model);
        // Whatever the shuffle left out comes at the end, so that both have seen every event.
        const later = again.filter(takes(model)).map((own) => readAgain(mine, own));
        await kit.apply(other, [...rounds(later, cuts), mine]);
        expect(await kit.rows(other)).toEqual(await kit.rows(once));
      }),
      { numRuns: Number(process.env.EMULSION_PROPERTY_RUNS ?? 40) },
    );
  });
}
