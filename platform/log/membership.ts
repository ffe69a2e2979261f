import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { Pool } from '../postgres/pool.ts';
import { type ClaimedPosition, Fenced, releasePositions } from '../postgres/positions.ts';
import { crashPoint } from '../process/crash-points.ts';
import type { Gate } from '../process/gate.ts';
import type { Logger } from '../telemetry/logger.ts';
import { changedOutside, claimAssigned, type Held, PositionJumped } from './claims.ts';
import { openIntake, type PartitionBatch, Paused } from './intake.ts';
import { openLetters } from './letters.ts';
import { type LogRecord, recordOf } from './record.ts';
import { topicName } from './topics.ts';

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
  /** Of the process: what may kill it is applied with nothing else going on. */
  gate: Gate;
  /** True while an operator has halted it: then it keeps its membership, and applies nothing. */
  paused?(): boolean;
  /** Records of one call of handle, over all partitions. */
  maxRecords?: number;
  /** Told of newly claimed partitions before anything is read from them. */
  claimed?(positions: readonly ClaimedPosition[]): Promise<void>;
  /** Told of records that wait for their round while another one is applied. */
  arrived?(records: readonly LogRecord[]): void;
  /** Told of a full round that waits for the one before it: see IntakeOptions. */
  ready?(batches: readonly PartitionBatch[]): void;
  /** Whether nobody waits for what this topic tells: it is fetched a few times a second, whatever happens on it. */
  unhurried?(topic: string): boolean;
  /** Applies the batches and saves their positions. What it throws is retried as an outage, unless it is fatal. */
  handle(batches: readonly PartitionBatch[]): Promise<void>;
  /** Errors that no retry mends: the consumer stops and says why. */
  fatal?(error: unknown): boolean;
  /** Told of what keeps a round from being applied, and by null when nothing does any more. */
  troubled?(error: Error | null): void;
}

const heartbeatMs = 2_000;
/** Milliseconds between two fetches of a topic that nobody waits for. */
const unhurriedMs = 250;
/** Longer than the pause and a fetch that waits for something to come. */
const servedMs = 1_000;
/**
 * Milliseconds between a round and the next fetch. What was applied is committed already; what comes meanwhile makes
 * one larger round, where fetching at once would make many of a few records each.
 */
const restMs = 8;
const courtesyCommitMs = 5_000;
const pauseLookMs = 100;

/** A round can be fenced by a batch beside ours that is from before a rebalance; more than so often it is us. */
const fencedLimit = 3;

/** What one member of the group holds: its claims, the check of every first offset, pauses, and the courtesy commits. */
export function openMembership(
  options: ConsumerOptions,
  consumer: Consumer,
  fail: (error: Error) => void,
  onJoined: (held: () => ClaimedPosition[]) => void,
) {
  const held = new Map<string, Held>();
  let joined: Promise<void> = Promise.resolve();
  let closed = false;
  let halted = false;
  const resting = new Map<string, NodeJS.Timeout>();
  /** When each partition of a topic that nobody waits for has last brought something, by performance.now(). */
  const served = new Map<string, number>();
  const intake = openIntake({ ...options, closed: () => closed });
  const heldAt = ({ topic, partition }: { topic: string; partition: number }): Held | undefined =>
    held.get(`${topicName(options.prefix, topic)}/${partition}`);

  const claim = async (assignment: Record<string, number[]>): Promise<void> => {
    const before = [...held.values()];
    held.clear();
    const positions = await claimAssigned(options, assignment, before);
    crashPoint('consumer.claimed');
    await options.claimed?.(positions);
    for (const position of positions) {
      held.set(`${topicName(options.prefix, position.topic)}/${position.partition}`, position);
      seek(position);
    }
    halt(options.paused?.() ?? false);
    onJoined(() => [...held.values()]);
  };
  const seek = (position: Held): void =>
    consumer.seek({
      topic: topicName(options.prefix, position.topic),
      partition: position.partition,
      offset: position.fetched.toString(),
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
    if (!position || closed || halted || !isRunning() || isStale() || batch.messages.length === 0) return;
    if (BigInt(batch.messages[0]!.offset) !== position.fetched)
      return wrongOffset(position, batch.messages[0]!.offset);
    position.wrong = 0;
    const timer = setInterval(() => heartbeat().catch(() => {}), heartbeatMs);
    try {
      const records = batch.messages.map((message) => recordOf(position.topic, position.partition, message));
      position.fetched = records.at(-1)!.offset + 1n;
      const { room, applied } = intake.take(position, records);
      if (options.unhurried?.(position.topic)) rest(position);
      // Of what may kill the process nothing is touched before its turn.
      if (!position.careful) options.arrived?.(records);
      applied.then(
        () => {
          position.fenced = 0;
        },
        (error) => readAgain(position, error),
      );
      await room;
      resolveOffset(batch.lastOffset());
      await new Promise((resolve) => setTimeout(resolve, restMs));
    } catch {
      // It is not applied: readAgain takes care of it.
    } finally {
      clearInterval(timer);
    }
  };

  // What was not applied is read again: by whoever holds the partition now, or after the pause.
  const readAgain = (position: Held, error: Error): void => {
    if (position.fetched === position.position) return;
    position.fetched = position.position;
    if (heldAt(position) === position && !closed) seek(position);
    letGo(position, error);
  };

  const letGo = (position: Held, error: Error): void => {
    if (error instanceof Paused) return;
    position.fenced += 1;
    const mine = heldAt(position) === position;
    if (error instanceof Fenced)
      options.log.info({ consumer: options.consumer, reason: error.message }, 'a round was fenced and left');
    if (!(error instanceof Fenced) || (mine && position.fenced > fencedLimit)) fail(error);
  };

  // kafkajs may deliver other offsets first after a seek, and starts at 0 when asked beyond the end (both seen).
  const wrongOffset = (position: Held, got: string): void => {
    position.wrong += 1;
    const where = `${position.topic}/${position.partition}`;
    if (position.wrong > 2) {
      fail(
        new PositionJumped(
          `${options.consumer} expects offset ${position.fetched} of ${where}, the broker gives ${got}. ${changedOutside}`,
        ),
      );
      return;
    }
    options.log.debug(
      { consumer: options.consumer, where, got, expected: `${position.fetched}` },
      'sought again',
    );
    seek(position);
  };

  /**
   * No fetch asks for a moment for the partitions of this topic that bring something all the time, so that not each of
   * their records wakes this consumer. Of several brokers each fetches by itself: a partition that was not served lately
   * stays open, or one broker's would keep out another's.
   */
  const rest = ({ topic, partition }: Held): void => {
    served.set(`${topic}/${partition}`, performance.now());
    if (resting.has(topic)) return;
    const lately = performance.now() - servedMs;
    const partitions = [...held.values()]
      .filter((p) => p.topic === topic && (served.get(`${topic}/${p.partition}`) ?? 0) > lately)
      .map((p) => p.partition);
    const paused = [{ topic: topicName(options.prefix, topic), partitions }];
    consumer.pause(paused);
    const over = (): void => {
      resting.delete(topic);
      if (halted) return;
      try {
        consumer.resume(paused);
      } catch (error) {
        // kafkajs has ended this membership, and has not said so yet.
        options.log.debug({ consumer: options.consumer, err: error }, 'nothing to resume');
      }
    };
    resting.set(topic, setTimeout(over, unhurriedMs));
  };

  /** Fetching stops and heartbeats go on. kafkajs keeps pauses of partitions that went elsewhere, so all are said again. */
  const halt = (now: boolean): void => {
    const partitions = [...held].map(([id, { partition }]) => ({
      topic: id.slice(0, id.lastIndexOf('/')),
      partitions: [partition],
    }));
    if (now) consumer.pause(partitions);
    else {
      for (const position of halted ? held.values() : []) seek(position);
      consumer.resume(partitions);
    }
    halted = now;
  };
  const pauses = setInterval(() => {
    const now = options.paused?.() ?? false;
    if (now !== halted && held.size > 0) halt(now);
  }, pauseLookMs);

  const courtesy = setInterval(() => {
    const offsets = [...held].map(([id, { partition, position }]) => ({
      topic: id.slice(0, id.lastIndexOf('/')),
      partition,
      offset: position.toString(),
    }));
    // Only other tools look at these; Postgres is what we start from.
    if (offsets.length > 0) consumer.commitOffsets(offsets).catch(() => {});
  }, courtesyCommitMs);
  const letters = openLetters(options, { heldAt, unpark: intake.unpark, failed: letGo });

  return {
    eachBatch,
    join(assignment: Record<string, number[]>) {
      // One after the other: what an earlier join claims is not ours any more when a later one has begun.
      joined = joined.catch(() => {}).then(() => claim(assignment));
      joined.catch(fail);
    },
    close() {
      closed = true;
      for (const timer of resting.values()) clearTimeout(timer);
      clearInterval(courtesy);
      clearInterval(pauses);
    },
    /** After close, when nothing is fetched any more: gives back what it holds, once the round under way has ended. */
    async release(): Promise<void> {
      await letters.close();
      await intake.idle();
      crashPoint('consumer.leaving');
      if (held.size > 0) await releasePositions(options.pool, options.consumer, [...held.values()]);
    },
  };
}
