import { failure } from '../../../deploy/native/failure.ts';
import { type Codec, openCodec } from '../../../platform/log/codec.ts';
import { partitionOf } from '../../../platform/log/partition.ts';
import { readLog, wholeLog } from '../../../platform/log/read-log.ts';
import { headerOf, type LogRecord } from '../../../platform/log/record.ts';
import { topicName } from '../../../platform/log/topics.ts';
import { type Event, eventCatalog } from '../../../schemas/generated/events.ts';
import { letterId, rulingTopic } from '../../../schemas/operator/dead-letter.ts';
import { findPlaces, type Moved } from './places.ts';
import type { Copying, Generation } from './topic.ts';

/**
 * Copies the rulings on dead letters. They name records by their places, so they are said anew with the places of the new
 * generation: the same events (id, time), under the key of the new place. One whose id is in the new generation already
 * is left alone. Gives how many there are, and how many of them were copied.
 */
export async function copyRulings(
  copying: Copying,
  registryUrl: string,
): Promise<{ rulings: number; copied: number }> {
  const [mine, theirs] = [await readAll(copying, copying.old), await readAll(copying, copying.new)];
  const there = new Set(theirs.map(idOf));
  const missing = mine.filter((record) => !there.has(idOf(record)));
  if (missing.length > 0) await append(copying, registryUrl, missing);
  const foreign = theirs.filter((record) => !mine.some((one) => idOf(one) === idOf(record)));
  if (foreign.length > 0)
    throw failure(
      `${topicName(copying.new.prefix, rulingTopic)} holds ${foreign.length} rulings that the old generation has not.`,
      'Somebody has written there: is the new generation in use already?',
    );
  return { rulings: mine.length, copied: missing.length };
}

async function append(copying: Copying, registryUrl: string, missing: readonly LogRecord[]): Promise<void> {
  const codecOf = ({ prefix }: Generation) =>
    openCodec<Event>({ registryUrl, catalog: eventCatalog, prefix });
  const [from, to] = [await codecOf(copying.old), await codecOf(copying.new)];
  await from.prepare(missing.map(({ value }) => value));
  const events = missing.map((record) => rulingIn(from, record));
  const moved = await findPlaces(
    copying.kafka,
    copying,
    events.map((event) => ({ ...event, offset: BigInt(event.offset) })),
  );
  await copying.producer.send({
    topic: topicName(copying.new.prefix, rulingTopic),
    acks: -1,
    messages: events.map((event, i) => {
      const { key, value } = to.encode(inItsNewPlace(event, moved), null);
      return {
        key,
        value,
        headers: missing[i]!.headers ?? {},
        partition: partitionOf(key, copying.new.partitions),
      };
    }),
  });
  copying.copied(events.length);
}

type RulingEvent = Extract<Event, { letterId: string }>;

function rulingIn(codec: Codec<Event>, record: LogRecord): RulingEvent {
  const event = codec.reveal(codec.decode(record.value), () => undefined);
  if ('letterId' in event) return event;
  throw failure(
    `${rulingTopic} holds a ${event.type}, which this release can not copy.`,
    'Copy with a release that knows it.',
  );
}

function inItsNewPlace(event: RulingEvent, moved: Moved): RulingEvent {
  const { topic, partition, offset } = moved({ ...event, offset: BigInt(event.offset) });
  const place = { model: event.model, topic, partition, offset };
  return { ...event, partition, offset: Number(offset), letterId: letterId(place) };
}

async function readAll({ kafka }: Copying, { prefix }: Generation): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  await readLog({
    kafka,
    prefix,
    stretches: await wholeLog(kafka, prefix, [rulingTopic]),
    handle: async (records) => void all.push(...records),
  });
  return all;
}

function idOf(record: LogRecord): string {
  return headerOf(record, 'ce_id') ?? `${record.partition}/${record.offset}`;
}
