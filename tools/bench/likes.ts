import { type Codec, openCodec } from '../../platform/log/codec.ts';
import { partitionOf } from '../../platform/log/partition.ts';
import { topicName } from '../../platform/log/topics.ts';
import { type Event, eventCatalog } from '../../schemas/generated/events.ts';
import { createRandom, type Random } from '../load/random.ts';
import type { BenchWorld } from './world.ts';

/** The newest moment of what a bench writes, so that two runs write the same. */
export const epochMs = Date.parse('2026-01-15T12:00:00.000Z');
/** Likes to one post and likes of one person, on average. */
const likesEach = 20;
/** One of so many takes a like back. */
const unlikeEvery = 40;

/** One fact of the benches on likes, as plain values. */
export interface LikeFact {
  postId: string;
  likerId: string;
  authorId: string;
  live: boolean;
  /** Milliseconds. */
  at: number;
  eventId: string;
}

/** The same facts for the same numbers: some posts are liked far more than others, some likes are taken back. */
export function* likeFacts(count: number, seed = 'likes'): Generator<LikeFact> {
  const random = createRandom(seed);
  const each = Math.max(1, Math.ceil(count / likesEach));
  const posts = idsOf(random, each);
  const people = idsOf(random, each);
  for (let n = 0; n < count; n += 1) {
    // Squared: the first tenth of the posts gets about a third of the likes.
    const post = Math.floor(random.unit() ** 2 * each);
    yield {
      postId: posts[post]!,
      likerId: people[random.below(each)]!,
      authorId: people[post % each]!,
      live: n % unlikeEvery !== 0,
      at: epochMs + n,
      eventId: idAt(random, epochMs + n),
    };
  }
}

function idsOf(random: Random, count: number): string[] {
  return Array.from({ length: count }, (_, n) => idAt(random, epochMs - (count - n) * 1_000));
}

/** A UUIDv7 of that moment whose random part comes from the seed. */
export function idAt(random: Random, ms: number): string {
  const part = (length: number): string => {
    let text = '';
    while (text.length < length) text += random.below(0x10000).toString(16).padStart(4, '0');
    return text.slice(0, length);
  };
  const time = ms.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${part(3)}-8${part(3)}-${part(12)}`;
}

/** The event of a fact, as command-api would append it. */
export function likeEvent(fact: LikeFact): Event {
  const { postId, likerId, authorId, live, at, eventId } = fact;
  const meta = {
    id: eventId,
    source: '/command-api',
    time: at,
    actor: likerId,
    correlation: eventId.replaceAll('-', ''),
    causation: null,
  };
  return { type: live ? 'PostLiked' : 'PostUnliked', meta, postId, likerId, authorId };
}

export function benchCodec(world: BenchWorld): Promise<Codec<Event>> {
  const { prefix, env } = world;
  return openCodec<Event>({ registryUrl: env.SCHEMA_REGISTRY_URL!, catalog: eventCatalog, prefix });
}

/** Nobody's in the vault: to whoever reads them, the owners of personal fields are erased. */
const dataKey = Buffer.alloc(32, 7);

/** Records in one request; the broker takes a megabyte a batch and partition. */
const sendAtOnce = 10_000;

/**
 * Appends events as command-api does: Avro by the codec, three headers, the partition by the key. Personal fields are
 * under their owner's data key where it is given.
 */
export async function appendEvents(
  world: BenchWorld,
  events: Iterable<Event>,
  dataKeys: ReadonlyMap<string, Buffer> = new Map(),
): Promise<void> {
  const codec = await benchCodec(world);
  await appendRecords(
    world,
    mapped(events, (event) => {
      const { owner } = eventCatalog[event.type];
      const own = owner && dataKeys.get((event as unknown as Record<string, string>)[owner]!);
      return recordOf(world, codec, event, own || dataKey);
    }),
  );
}

/** The record that an event is in the log of this world. */
export function recordOf(
  { prefix }: BenchWorld,
  codec: Codec<Event>,
  event: Event,
  key: Buffer | null,
): BenchRecord {
  const { topic, ...record } = codec.encode(event, key);
  return { topic: topicName(prefix, topic), ...record };
}

export interface BenchRecord {
  /** As the broker knows it. */
  topic: string;
  key: string;
  value: Buffer | string;
  headers?: Record<string, string>;
}

/** Appends records, `sendAtOnce` at a time. */
export async function appendRecords(world: BenchWorld, records: Iterable<BenchRecord>): Promise<void> {
  const { send, close } = await openSending(world);
  let batch: BenchRecord[] = [];
  for (const record of records) {
    batch.push(record);
    if (batch.length < sendAtOnce) continue;
    await send(batch);
    batch = [];
  }
  if (batch.length > 0) await send(batch);
  await close();
}

export interface Sending {
  /** Resolves when the broker has them (acks all). */
  send(batch: readonly BenchRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** A producer of the bench: the partition by the key, as command-api has it. */
export async function openSending(world: BenchWorld): Promise<Sending> {
  const partitions = Number(world.env.EMULSION_PARTITIONS);
  const producer = world.kafka.producer({
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition ?? 0,
  });
  await producer.connect();
  world.atEnd(() => producer.disconnect());
  return {
    async send(batch) {
      const topics = Map.groupBy(batch, ({ topic }) => topic);
      await producer.sendBatch({
        acks: -1,
        topicMessages: [...topics].map(([topic, messages]) => ({
          topic,
          messages: messages.map((m) => ({ ...m, partition: partitionOf(m.key, partitions) })),
        })),
      });
    },
    close: () => producer.disconnect(),
  };
}

export function* mapped<A, B>(items: Iterable<A>, change: (item: A) => B): Generator<B> {
  for (const item of items) yield change(item);
}
