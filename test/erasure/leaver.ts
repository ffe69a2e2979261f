import { randomUUID } from 'node:crypto';
import { openAppender } from '../../platform/log/appender.ts';
import { openCodec } from '../../platform/log/codec.ts';
import { connectKafka } from '../../platform/log/kafka.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';
import { expectStatus, type Person, samplePhoto } from '../harness/client.ts';
import { event, nth } from '../harness/events.ts';
import type { World } from '../harness/world.ts';

/** Somebody who says of themselves what can be looked for, and what it was. */
export interface Leaver extends Person {
  /** Username, email, names, bio, website, captions: none of which anybody else has. */
  texts: string[];
  photo: Buffer;
}

export async function registerLeaver({ api }: World): Promise<Leaver> {
  const mark = randomUUID().slice(0, 8);
  const username = `quagmire_${mark}`;
  const said = { email: `zebulon.${mark}@erased.example`, fullName: `Zebulon Quagmire ${mark}` };
  const password = 'Correct-horse-9';
  const answer = await api.call('POST', '/api/auth/register', {
    headers: { 'idempotency-key': randomUUID() },
    body: { username, ...said, password, dateOfBirth: '1987-03-09' },
  });
  expectStatus(answer, 201);
  const { user, token } = answer.body;
  return {
    ...{ id: user.id, username, password, token: token.accessToken, refreshToken: token.refreshToken },
    position: answer.headers.get('x-position'),
    texts: [
      username,
      said.email,
      said.fullName,
      `Bio of ${mark}`,
      `https://${mark}.erased.example/`,
      caption(mark),
    ],
    photo: await samplePhoto(),
  };
}

const caption = (mark: string): string => `Sunset seen by ${mark}`;

/** The caption of every post of theirs. */
export function captionOf({ texts }: Leaver): string {
  return texts.at(-1)!;
}

/** What this person had said when the account was erased, and what comes to the log afterwards all the same. */
export async function appendLate(world: World, leaver: Person, other: Person, post: string): Promise<void> {
  const { KAFKA_BROKERS, SCHEMA_REGISTRY_URL, EMULSION_PARTITIONS } = world.env;
  const { prefix } = world;
  const log = createLogger('test', 'silent');
  const kafka = connectKafka({ brokers: KAFKA_BROKERS!.split(','), clientId: 'late', log });
  const codec = await openCodec<Event>({ registryUrl: SCHEMA_REGISTRY_URL!, catalog: eventCatalog, prefix });
  const appender = await openAppender({ kafka, prefix, partitions: Number(EMULSION_PARTITIONS), log });
  const now = Date.now();
  const late = [
    event('PostLiked', { postId: post, likerId: leaver.id, authorId: other.id }, now),
    event('UserFollowed', { followerId: leaver.id, followeeId: other.id, followedAt: now }, now),
    event('UserFollowed', { followerId: other.id, followeeId: leaver.id, followedAt: now }, now),
    event(
      'PostPublished',
      {
        ...{
          postId: randomUUID(),
          authorId: leaver.id,
          caption: 'Too late',
          location: null,
          mediaIds: [nth(1)],
        },
        ...{ isReel: false, hideCounts: false, commentsOff: false },
      },
      now,
    ),
  ];
  // Under the key that was there a moment ago.
  for (const one of late) await appender.append(codec.encode(one, Buffer.alloc(32, 7)));
  await appender.close();
}
