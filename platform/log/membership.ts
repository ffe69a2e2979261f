import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { Pool } from '../postgres/pool.ts';
import { type ClaimedPosition, claimPositions, Fenced } from '../postgres/positions.ts';
import type { Logger } from '../telemetry/logger.ts';
import { openIntake, type PartitionBatch } from './intake.ts';
import { recordOf } from './record.ts';
import { fetchHeads, topicName } from './topics.ts';

export interface ConsumerOptions {
  kafka: Kafka;
  pool: Pool;
  log: Logger;
  /** Whose positions in engine.position: likes.v1, media-pipeline. */
  consumer: string;
  topics: readonly string[];
  prefix: string;
  partitions: number;
  /** Where a consumer that has never run begins. */
  start: 'beginning' | 'end';
  /** Records of one call of handle, over all partitions. */
  maxRecords?: number;
  /** Told of newly claimed partitions before anything is read from them. */
  claimed?(positions: readonly ClaimedPosition[]): Promise<void>;
  /** Applies the batches and saves their positions. What it throws is retried as an outage, unless it is fatal. */
  handle(batches: readonly PartitionBatch[]): Promise<void>;
  /** Errors that no retry mends: the consumer stops and says why. */
  fatal?(error: unknown): boolean;
  /** Told of what keeps a round from being applied, and by null when nothing does any more. */
  troubled?(error: Error | null): void;
}

/** Our own corruption: the consumer stops, loudly (DESIGN §2 rule 6). */
export class PositionJumped extends Error {
  override name = 'PositionJumped';
}

const heartbeatMs = 2_000;
/**
 * Milliseconds between a round and the next fetch. What was applied is committed already; what comes meanwhile makes
 * one larger round, where fetching at once would make many of a few records each.
 */
const restMs = 8;
const courtesyCommitMs = 5_000;

interface Held extends ClaimedPosition {
  /** Batches in a row that did not begin where they should. */
  wrong: number;
  /** Rounds in a row that were fenced although nobody has told us that the partition is not ours any more. */
  fenced: number;
}

/** A round can be fenced by a batch beside ours that is from before a rebalance; more than so often it is us. */
const fencedLimit = 3;

/** What one member of the group holds: its claims, the check of every first offset, and the courtesy commits. */
export function openMembership(
  options: ConsumerOptions,
  consumer: Consumer,
  fail: (error: Error) => void,
  onJoined: (held: () => ClaimedPosition[]) => void,
) {
  const held = new Map<string, Held>();
  let joined: Promise<void> = Promise.resolve();
  let closed = false;
  const intake = openIntake({ ...options, closed: () => closed });

  const claim = async (assignment: Record<string, number[]>): Promise<void> => {
    held.clear();
    const positions = await claimAssigned(options, assignment);
    await options.claimed?.(positions);
    for (const position of positions) {
      held.set(`${topicName(options.prefix, position.topic)}/${position.partition}`, {
        ...position,
        wrong: 0,
        fenced: 0,
      });
      seek(position);
    }
    onJoined(() => [...held.values()]);
  };
  const seek = (position: ClaimedPosition): void =>
    consumer.seek({
      topic: topicName(options.prefix, position.topic),
      partition: position.partition,
      offset: position.position.toString(),
    });

  const eachBatch = async ({
    batch,
    heartbeat,
    resolveOffset,
    isRunning,
    isStale,
  }: EachBatchPayload): Promise<void> => {
    await joined;
    const position = held.get(`${batch.topic}/${batch.partition}`);
    if (!position || closed || !isRunning() || isStale() || batch.messages.length === 0) return;
    if (BigInt(batch.messages[0]!.offset) !== position.position)
      return wrongOffset(position, batch.messages[0]!.offset);
    position.wrong = 0;
    const timer = setInterval(() => heartbeat().catch(() => {}), heartbeatMs);
    try {
      const records = batch.messages.map((message) => recordOf(position.topic, position.partition, message));
      await intake.take(position, records);
      position.fenced = 0;
      resolveOffset(batch.lastOffset());
      await new Promise((resolve) => setTimeout(resolve, restMs));
    } catch (error) {
      letGo(position, error as Error);
    } finally {
      clearInterval(timer);
    }
  };

  // What was fenced is not resolved, so it is fetched again by whoever holds the partition now.
  const letGo = (position: Held, error: Error): void => {
    const mine = held.get(`${topicName(options.prefix, position.topic)}/${position.partition}`) === position;
    position.fenced += 1;
    if (!(error instanceof Fenced) || (mine && position.fenced > fencedLimit)) fail(error);
  };

  // kafkajs may deliver other offsets first after a seek, and starts at 0 when asked beyond the end (both seen).
  const wrongOffset = (position: Held, got: string): void => {
    position.wrong += 1;
    const where = `${position.topic}/${position.partition}`;
    if (position.wrong > 2) {
      fail(
        new PositionJumped(
          `${options.consumer} expects offset ${position.position} of ${where}, the broker gives ${got}. The log or the position was changed from outside; see the runbooks.`,
        ),
      );
      return;
    }
    options.log.debug(
      { consumer: options.consumer, where, got, expected: `${position.position}` },
      'sought again',
    );
    seek(position);
  };

  const courtesy = setInterval(() => {
    const offsets = [...held].map(([id, { partition, position }]) => ({
      topic: id.slice(0, id.lastIndexOf('/')),
      partition,
      offset: position.toString(),
    }));
    // Only other tools look at these; Postgres is what we start from.
    if (offsets.length > 0) consumer.commitOffsets(offsets).catch(() => {});
  }, courtesyCommitMs);

  return {
    eachBatch,
    join(assignment: Record<string, number[]>) {
      joined = claim(assignment);
      joined.catch(fail);
    },
    close() {
      closed = true;
      clearInterval(courtesy);
    },
  };
}

async function claimAssigned(
  options: ConsumerOptions,
  assignment: Record<string, number[]>,
): Promise<ClaimedPosition[]> {
  const heads = await fetchHeads(options.kafka, options.prefix, options.topics);
  const starts = options.topics.flatMap((topic) =>
    (assignment[topicName(options.prefix, topic)] ?? []).map((partition) => ({
      topic,
      partition,
      start: options.start === 'end' ? (heads.get(topic)?.[partition] ?? 0n) : 0n,
    })),
  );
  const positions = await claimPositions(options.pool, options.consumer, starts);
  for (const { topic, partition, position } of positions) {
    const head = heads.get(topic)?.[partition] ?? 0n;
    if (position <= head) continue;
    throw new PositionJumped(
      `${options.consumer} stands at ${position} of ${topic}/${partition}, beyond the head ${head}: the log was lost or replaced.`,
    );
  }
  return positions;
}
