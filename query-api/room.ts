import type { createBinder } from '../platform/http/bind.ts';
import type { Redis } from '../platform/redis/redis.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import type { Scope } from './scope.ts';

/** What the routes of this room are made with. */
export interface Room {
  handle: ReturnType<typeof createBinder<Scope>>;
  log: Logger;
  redis: Redis;
  /** Of Redis keys. */
  prefix: string;
  /** Where clients find the front door, for addresses of media. */
  publicUrl: string;
}
