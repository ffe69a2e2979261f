import type { Redis } from '../../platform/redis/redis.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import { streamKey } from '../../schemas/notify/frame.ts';
import { openLive } from './live.ts';
import type { JudgedFrame } from './session.ts';
import { hideWhatNoLongerShows, type ShowsParts } from './still-shows.ts';
import { wireFrame } from './wire.ts';

/** What a reader hears of its user. */
export interface Listener {
  /** Some that came together, in their order. */
  frames(frames: readonly JudgedFrame[]): void;
  /** A frame of that number exists. */
  head(seq: number): void;
}

export interface Hub {
  /** Resolves when frames can come (or Redis is away); gives the function that leaves. */
  join(userId: string, listener: Listener): Promise<() => void>;
  /** Whether frames come by Redis and the sweep can read the heads. */
  health(): { redis: boolean; postgres: boolean };
  close(): void;
}

export interface HubParts extends ShowsParts {
  /** A connection of its own: it does nothing but listen. */
  subscriber: Redis;
  prefix: string;
  sweepMs: number;
  log: Logger;
}

interface User {
  listeners: Set<Listener>;
  /** The newest frame that the listeners were told of. */
  told: number;
}

type Users = Map<string, User>;

/** How long joining waits for Redis; the sweep covers what is missed meanwhile. */
const subscribeLimitMs = 500;
/** Channels in one SUBSCRIBE. */
const subscribeBatch = 1_000;

/**
 * One Redis subscription per connected user, however many streams they have open here. Pub/sub loses messages, so a
 * sweep compares every connected user's head with what was told, in one query: a lost last message, or a dead Redis,
 * only delays (DESIGN §8). Whether a frame shows is looked at when it comes: what it tells of may be older.
 */
export function openHub(parts: HubParts): Hub {
  const { subscriber, prefix, metrics } = parts;
  const users: Users = new Map();
  const health = { redis: false, postgres: true };
  const channelStart = streamKey(prefix, '').length;

  const listenersOf = (userId: string): Iterable<Listener> => users.get(userId)?.listeners ?? [];
  const live = openLive({
    judge: (told) => hideWhatNoLongerShows(parts, told),
    judged(userId, frames) {
      for (const listener of listenersOf(userId)) listener.frames(frames);
    },
    unjudged(userId, seq) {
      for (const listener of listenersOf(userId)) listener.head(seq);
    },
  });
  const onMessage = (channel: string, text: string): void => {
    const userId = channel.slice(channelStart);
    const user = users.get(userId);
    const frame = user && wireFrame(text);
    if (frame === null) metrics.unreadable.inc();
    if (!user || !frame) return;
    user.told = Math.max(user.told, frame.seq);
    live(userId, frame);
  };
  const onReady = (): void => void subscribeAll(subscriber, prefix, [...users.keys()]);
  subscriber.on('message', onMessage);
  subscriber.on('ready', onReady);

  const sweeper = repeat(parts.sweepMs, async () => {
    health.redis = subscriber.status === 'ready';
    metrics.redisUp.set(health.redis ? 1 : 0);
    health.postgres = await sweep(parts, users, health.postgres);
  });

  return {
    join: (userId, listener) => join(parts, users, userId, listener),
    health: () => health,
    close() {
      sweeper.stop();
      subscriber.off('message', onMessage);
      subscriber.off('ready', onReady);
    },
  };
}

async function join(parts: HubParts, users: Users, userId: string, listener: Listener): Promise<() => void> {
  const channel = streamKey(parts.prefix, userId);
  const known = users.get(userId);
  const user = known ?? { listeners: new Set<Listener>(), told: 0 };
  user.listeners.add(listener);
  users.set(userId, user);
  parts.metrics.users.set(users.size);
  if (!known) await within(subscribeLimitMs, parts.subscriber.subscribe(channel));
  return () => {
    user.listeners.delete(listener);
    if (user.listeners.size > 0 || users.get(userId) !== user) return;
    users.delete(userId);
    parts.metrics.users.set(users.size);
    parts.subscriber.unsubscribe(channel).catch(() => {});
  };
}

/** After a reconnect: the client itself takes up only what it had subscribed to before. */
async function subscribeAll(subscriber: Redis, prefix: string, userIds: string[]): Promise<void> {
  const channels = userIds.map((userId) => streamKey(prefix, userId));
  for (let from = 0; from < channels.length; from += subscribeBatch) {
    await subscriber.subscribe(...channels.slice(from, from + subscribeBatch)).catch(() => {});
  }
}

/** Tells listeners of heads they have not heard of. Answers whether Postgres could be read. */
async function sweep(parts: HubParts, users: Users, wasUp: boolean): Promise<boolean> {
  try {
    const { rows } = await parts.pool.query<{ user_id: string; seq: number }>(
      'SELECT user_id, seq FROM stream.head WHERE user_id = ANY($1::uuid[])',
      [[...users.keys()]],
    );
    for (const row of rows) tell(parts, users.get(row.user_id), row.seq);
    if (!wasUp) parts.log.info('the stream heads can be read again');
    return true;
  } catch (error) {
    if (wasUp) parts.log.warn({ err: error }, 'the stream heads cannot be read; frames wait for Postgres');
    return false;
  }
}

function tell(parts: HubParts, user: User | undefined, seq: number): void {
  if (!user || seq <= user.told) return;
  user.told = seq;
  parts.metrics.behind.inc();
  for (const listener of user.listeners) listener.head(seq);
}

/** Runs the work again and again with a pause between, never two at once. */
function repeat(everyMs: number, work: () => Promise<void>): { stop(): void } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const round = async (): Promise<void> => {
    await work();
    if (!stopped) timer = setTimeout(round, everyMs);
  };
  void round();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** Waits for the outcome, whatever it is, no longer than the limit. */
async function within(limitMs: number, outcome: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([outcome.catch(() => {}), limit]);
  clearTimeout(timer);
}
