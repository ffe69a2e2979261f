import type { Kafka } from 'kafkajs';
import { createPool, type Pool } from '../../../platform/postgres/pool.ts';
import type { Config } from '../../../platform/process/config.ts';
import { createRedis, type Redis, redisReady } from '../../../platform/redis/redis.ts';
import { operatorKafka } from '../broker.ts';
import { within } from '../within.ts';
import { type Append, appendProbe } from './append.ts';

/** What is examined. Whoever needs a server that does not answer leaves it to that server's own check to say so. */
export interface Patient {
  env: Record<string, string | undefined>;
  config: Config;
  kafka: Kafka;
  pool: Pool;
  redis: Redis;
  postgresAnswers: Promise<boolean>;
  redisAnswers: Promise<boolean>;
  /** A record written to a topic of the doctor's own: that the broker takes writes, and what time it thinks it is. */
  append: Promise<Append>;
  close(): Promise<void>;
}

const answerLimitMs = 4_000;

export function openPatient(env: Record<string, string | undefined>, config: Config): Patient {
  const kafka = operatorKafka(config);
  const pool = createPool(config.databaseUrl, {
    name: 'emulsion-doctor',
    max: 4,
    statementTimeoutMs: answerLimitMs,
  });
  const redis = createRedis(config.redisUrl, { name: 'emulsion-doctor' });
  const append = appendProbe(kafka, config.prefix);
  append.catch(() => {});
  return {
    env,
    config,
    kafka,
    pool,
    redis,
    postgresAnswers: answers(within(answerLimitMs, pool.query('SELECT'))),
    redisAnswers: redisReady(redis, answerLimitMs),
    append,
    async close() {
      redis.disconnect();
      await within(1_000, pool.end()).catch(() => {});
    },
  };
}

function answers(question: Promise<unknown>): Promise<boolean> {
  return question.then(
    () => true,
    () => false,
  );
}
