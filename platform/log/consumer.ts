import type { PositionStep } from '../postgres/positions.ts';
import { PositionJumped } from './claims.ts';
import type { PartitionBatch } from './intake.ts';
import { type ConsumerOptions, openMembership } from './membership.ts';
import { reasonOf } from './outage.ts';
import { topicName } from './topics.ts';

export type { PartitionBatch } from './intake.ts';
export type { ConsumerOptions } from './membership.ts';
export type { LogRecord } from './record.ts';

/** Where a partition stands that this process holds. */
export interface HeldPosition {
  topic: string;
  partition: number;
  position: bigint;
}

export interface RunningConsumer {
  state(): { state: 'starting' | 'running' | 'retrying' | 'paused' | 'stopped'; reason: string | null };
  /** The partitions it holds now, and the next offset of each that it has not applied. */
  held(): HeldPosition[];
  close(): Promise<void>;
}

const longestPauseMs = 15_000;

/** The step that a batch is, for savePositions. */
export function stepOf(batch: PartitionBatch, eventTime: number): PositionStep {
  const { topic, partition, generation, firstOffset, nextOffset } = batch;
  return { topic, partition, generation, from: firstOffset, to: nextOffset, eventTime };
}

/**
 * Reads partitions from where Postgres says, hands their records to `handle` in order, and goes on for the life of
 * the process: outages are retried with growing pauses, a crash of kafkajs ends the attempt and a new one joins.
 */
export function runConsumer(options: ConsumerOptions): RunningConsumer {
  let state: ReturnType<RunningConsumer['state']> = { state: 'starting', reason: null };
  let held: () => HeldPosition[] = () => [];
  let closing = false;
  let stopAttempt: () => void = () => {};
  const running = { state: 'running', reason: null } as const;
  const paused = { state: 'paused', reason: null } as const;
  const troubled = (error: Error | null): void => {
    state = error ? { state: 'retrying', reason: reasonOf(error) } : running;
  };

  const attempts = async (): Promise<void> => {
    for (let pause = 200; !closing; pause = Math.min(pause * 2, longestPauseMs)) {
      const began = Date.now();
      try {
        await attempt(
          { ...options, troubled },
          (stop) => {
            stopAttempt = stop;
            if (closing) stop();
          },
          (joined) => {
            held = joined;
            state = running;
          },
        );
      } catch (error) {
        held = () => [];
        if (error instanceof PositionJumped || options.fatal?.(error)) {
          state = { state: 'stopped', reason: (error as Error).message };
          options.log.fatal(
            { consumer: options.consumer, err: error },
            'consumer stopped: an operator is needed',
          );
          return;
        }
        troubled(error as Error);
        options.log.warn({ consumer: options.consumer, err: error, pauseMs: pause }, 'consumer starts again');
      }
      if (Date.now() - began > 60_000) pause = 200;
      if (!closing) await new Promise((resolve) => setTimeout(resolve, pause));
    }
  };
  const ended = attempts();
  return {
    state: () => (state.state !== 'stopped' && options.paused?.() ? paused : state),
    held: () => held(),
    async close() {
      closing = true;
      stopAttempt();
      await ended;
    },
  };
}

/** One membership of the group, until it is stopped or fails. */
async function attempt(
  options: ConsumerOptions,
  onStart: (stop: () => void) => void,
  onJoined: (held: () => HeldPosition[]) => void,
): Promise<void> {
  const consumer = options.kafka.consumer({
    groupId: `${options.prefix}${options.consumer}`,
    sessionTimeout: 10_000,
    rebalanceTimeout: 60_000,
    heartbeatInterval: 1_000,
    maxWaitTimeInMs: 500,
    retry: { retries: 5, restartOnFailure: async () => false },
  });
  let fail: (error: Error) => void = () => {};
  let stop: () => void = () => {};
  const over = new Promise<void>((resolve, reject) => {
    stop = resolve;
    fail = reject;
  });
  over.catch(() => {});
  const membership = openMembership(options, consumer, fail, onJoined);
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => membership.join(payload.memberAssignment));
  consumer.on(consumer.events.CRASH, ({ payload }) => fail(payload.error));
  onStart(stop);
  try {
    await consumer.connect();
    await consumer.subscribe({
      topics: options.topics.map((t) => topicName(options.prefix, t)),
      fromBeginning: true,
    });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: options.topics.length * options.partitions,
      eachBatch: membership.eachBatch,
    });
    await over;
  } finally {
    membership.close();
    await consumer.disconnect().catch(() => {});
    await membership.release().catch((error) => {
      options.log.warn({ consumer: options.consumer, err: error }, 'partitions could not be given back');
    });
  }
}
