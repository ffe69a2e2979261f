import type { Message, Producer } from 'kafkajs';
import { failure } from '../../../deploy/native/failure.ts';
import type { Kafka } from '../../../platform/log/kafka.ts';
import { readLog, type Stretch } from '../../../platform/log/read-log.ts';
import type { LogRecord } from '../../../platform/log/record.ts';
import { fetchHeads, topicName } from '../../../platform/log/topics.ts';
import {
  advance,
  chained,
  differenceOf,
  nothing,
  type Pair,
  pairOf,
  type Shape,
  type Side,
} from './ledger.ts';

/** One generation of the log. */
export interface Generation {
  prefix: string;
  partitions: number;
}

export interface Copying {
  kafka: Kafka;
  producer: Producer;
  old: Generation;
  new: Generation;
  /** Told of records copied, from time to time. */
  copied(records: number): void;
}

/** Bytes of one send: the broker takes a megabyte of a partition at once. */
const sendBytes = 900_000;
/** What key, headers and framing add to a value. */
const framingBytes = 300;

/**
 * Copies what the old topic has and the new one has not, and proves that both are the same up to where the old one
 * ended. It can be cut anywhere: what is in the new topic already is counted first, and skipped. Gives how many records
 * it copied; `sides` is brought to where it is proved.
 */
export async function copyTopic(
  copying: Copying,
  topic: string,
  sides: { old: Side; new: Side },
): Promise<number> {
  const shape = { old: copying.old.partitions, new: copying.new.partitions };
  await readOn(copying, 'new', topic, sides.new, shape);
  const there = new Map([...sides.new.pairs].map(([name, { records }]) => [name, records]));
  let copied = 0;
  await readOn(copying, 'old', topic, sides.old, shape, async (records, numbers) => {
    const missing = records.filter((_, i) => numbers[i]!.nth > (there.get(numbers[i]!.pair) ?? 0));
    await send(copying, topic, missing, (record) => Number(pairOf(shape, 'old', record).split('>')[1]));
    copied += missing.length;
    if (missing.length > 0) copying.copied(missing.length);
  });
  await readOn(copying, 'new', topic, sides.new, shape);
  const difference = differenceOf(sides.old, sides.new);
  if (difference === null) return copied;
  throw failure(
    `${topicName(copying.new.prefix, topic)} is not the same as ${topicName(copying.old.prefix, topic)}: ${difference}.`,
    `Somebody else has written there, or a write came late: delete the topics of ${copying.new.prefix} (emulsion generation drop) and copy again.`,
  );
}

/** Which pair a record is in, and the how manieth of it. */
interface Numbered {
  pair: string;
  nth: number;
}

/** Reads one side on to its end; `each` is done before what it was given counts as read. */
async function readOn(
  copying: Copying,
  which: 'old' | 'new',
  topic: string,
  side: Side,
  shape: Shape,
  each: (records: readonly LogRecord[], numbers: readonly Numbered[]) => Promise<void> = async () => {},
): Promise<void> {
  const { kafka } = copying;
  const { prefix } = copying[which];
  const heads = (await fetchHeads(kafka, prefix, [topic])).get(topic)!;
  const stretches: Stretch[] = heads.map((to, partition) => ({
    topic,
    partition,
    from: BigInt(side.at[partition] ?? 0),
    to,
  }));
  const shorter = stretches.find(({ from, to }) => from > to);
  if (shorter)
    throw failure(
      `${topicName(prefix, topic)}/${shorter.partition} is shorter than when it was read last.`,
      'Topics were deleted meanwhile: begin again with emulsion generation copy --afresh.',
    );
  await readLog({
    kafka,
    prefix,
    stretches,
    async handle(records) {
      const pairs = new Map<string, Pair>();
      const numbers = records.map((record) => {
        const pair = pairOf(shape, which, record);
        const next = chained(pairs.get(pair) ?? side.pairs.get(pair) ?? nothing, record);
        pairs.set(pair, next);
        return { pair, nth: next.records };
      });
      await each(records, numbers);
      advance(side, pairs, records.at(-1)!);
    },
  });
}

/** Byte for byte, in their order, one send after the other. Throws when it is not known whether one arrived. */
async function send(
  { producer, new: { prefix } }: Copying,
  topic: string,
  records: readonly LogRecord[],
  partitionFor: (record: LogRecord) => number,
): Promise<void> {
  let messages: Message[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (messages.length > 0) await producer.send({ topic: topicName(prefix, topic), acks: -1, messages });
    messages = [];
    bytes = 0;
  };
  for (const record of records) {
    const size = record.value.length + framingBytes;
    if (bytes + size > sendBytes) await flush();
    const { key, value, headers } = record;
    messages.push({ key, value, headers: headers ?? {}, partition: partitionFor(record) });
    bytes += size;
  }
  await flush();
}
