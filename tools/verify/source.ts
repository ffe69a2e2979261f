import type { Kafka } from 'kafkajs';
import type { Codec } from '../../platform/log/codec.ts';
import type { Pool } from '../../platform/postgres/pool.ts';
import type { Redis } from '../../platform/redis/redis.ts';
import type { MasterKey } from '../../platform/vault/master-key.ts';
import type { Event } from '../../schemas/generated/events.ts';

/** The log and what is needed to read it. */
export interface Source {
  kafka: Kafka;
  prefix: string;
  codec: Codec<Event>;
  master: MasterKey;
}

/** All that verify reads. */
export interface World extends Source {
  pool: Pool;
  redis: Redis;
  /** Tells one installation from another, without a secret. */
  name: string;
}
