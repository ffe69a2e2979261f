import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { WebSocket } from 'ws';
import { streamKey } from '../../schemas/notify/frame.ts';
import { openSigner } from '../features/requests.ts';
import type { Service } from '../harness/services.ts';
import type { World } from '../harness/world.ts';

/** Writes what the streaming reactor writes (one writer a user at a time), and loses on the way what a test wants lost. */
export interface Stage {
  redis: Redis;
  token(userId: string, seconds?: number): string;
  /** Adds frames to the user's stream; which of the three places get them is the test's choice. */
  append(userId: string, count: number, options?: AppendOptions): Promise<void>;
  close(): void;
}

export interface AppendOptions {
  /** Stored in the Redis stream, and published; both unless said. */
  keep?: boolean;
  publish?: boolean;
  type?: string;
  data?: (seq: number) => object;
}

/** Starts these stream nodes in a world in which nothing else runs. */
export async function openStage(world: World, nodes: readonly ('stream' | 'stream2')[]): Promise<Stage> {
  await makeModels(world);
  await Promise.all(nodes.map((node) => world.services[node].start()));
  const sign = await openSigner(world);
  const redis = new Redis(world.env.REDIS_URL!);
  return {
    redis,
    token: (userId, seconds = 600) => sign(userId, seconds),
    append: (userId, count, options = {}) => append(world, redis, userId, count, options),
    close: () => redis.disconnect(),
  };
}

/** The tables of the models that decide who is told, as their projectors make them; what is in them is the test's choice. */
async function makeModels({ owner }: World): Promise<void> {
  for (const [model, file] of [
    ['posts', 'content/post.sql'],
    ['graph', 'graph/follow.sql'],
    ['accounts', 'account/user.sql'],
  ]) {
    const sql = readFileSync(path.join(import.meta.dirname, '../../schemas', file!), 'utf8');
    const schema = `${model}_v1`;
    await owner.query(`CREATE SCHEMA ${schema}; SET search_path = ${schema}; ${sql}; RESET search_path`);
    await owner.query(`GRANT USAGE ON SCHEMA ${schema} TO emulsion_query`);
    await owner.query(`GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO emulsion_query`);
    await owner.query(
      'INSERT INTO engine.version (model, version, schema_name, definition) VALUES ($1, 1, $2, 1)',
      [model, schema],
    );
    await owner.query('INSERT INTO engine.serving VALUES ($1, 1)', [model]);
  }
}

async function append(
  world: World,
  redis: Redis,
  userId: string,
  count: number,
  { keep = true, publish = true, type = 'post.liked', data }: AppendOptions,
): Promise<void> {
  const likes = () => ({ postId: randomUUID(), likerId: randomUUID() });
  const { rows } = await world.owner.query('SELECT seq FROM stream.head WHERE user_id = $1', [userId]);
  const first: number = Number(rows[0]?.seq ?? 0) + 1;
  const made = Array.from({ length: count }, (_, i) => ({
    seq: first + i,
    type,
    time: new Date().toISOString(),
    traceId: `trace-${first + i}`,
    data: (data ?? likes)(first + i),
  }));
  // One statement, because the reactor's head and entries are one transaction.
  await world.owner.query(
    `WITH head AS (INSERT INTO stream.head VALUES ($1, $4) ON CONFLICT (user_id) DO UPDATE SET seq = $4)
     INSERT INTO stream.entry SELECT $1, f.seq, gen_random_uuid(), now(), f.payload
     FROM unnest($2::bigint[], $3::jsonb[]) AS f (seq, payload)`,
    [
      userId,
      made.map((frame) => frame.seq),
      made.map(({ seq: _, ...payload }) => JSON.stringify(payload)),
      first + count - 1,
    ],
  );
  const pipeline = redis.pipeline();
  for (const frame of made) {
    const key = streamKey(world.prefix, userId);
    const text = JSON.stringify(frame);
    if (keep) pipeline.xadd(key, `${frame.seq}-0`, 'e', text);
    if (publish) pipeline.publish(key, text);
  }
  await pipeline.exec();
}

/** A client of the socket that remembers everything it got. */
export interface Socket {
  ws: WebSocket;
  // biome-ignore lint/suspicious/noExplicitAny: frames of many shapes are looked into
  got: any[];
  /** Numbers of the frames with facts, in the order they came. */
  seqs(): number[];
  /** Resolves with the first message that fits, past or to come. */
  // biome-ignore lint/suspicious/noExplicitAny: see above
  until(fits: (message: any) => boolean, limitMs?: number): Promise<any>;
  hello(): Promise<{ seq: number; head: number }>;
  closed: Promise<number>;
  send(message: object): void;
  close(): void;
}

export interface ConnectOptions {
  token?: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  protocols?: string[];
}

export function connect(service: Pick<Service, 'url'>, options: ConnectOptions = {}): Socket {
  const url = new URL('/ws', service.url.replace('http', 'ws'));
  for (const [key, value] of Object.entries(options.query ?? {})) url.searchParams.set(key, value);
  const authorization = options.token ? { authorization: `Bearer ${options.token}` } : {};
  const ws = new WebSocket(url, options.protocols ?? [], {
    headers: { ...authorization, ...options.headers },
  });
  const got: Socket['got'] = [];
  const waiting = new Set<() => void>();
  ws.on('message', (text) => {
    got.push(JSON.parse(String(text)));
    for (const look of waiting) look();
  });
  ws.on('error', () => {});
  const until: Socket['until'] = (fits, limitMs = 10_000) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = got.find(fits);
        if (found === undefined) return;
        waiting.delete(look);
        clearTimeout(timer);
        resolve(found);
      };
      const timer = setTimeout(() => {
        waiting.delete(look);
        reject(new Error(`it did not come; the last of ${got.length}: ${JSON.stringify(got.slice(-3))}`));
      }, limitMs);
      waiting.add(look);
      look();
    });
  return {
    ws,
    got,
    seqs: () => got.filter((message) => message.time !== undefined).map((message) => message.seq),
    until,
    hello: () => until((message) => message.type === 'hello'),
    closed: new Promise((resolve) => ws.once('close', resolve)),
    send: (message) => ws.send(JSON.stringify(message)),
    close: () => ws.close(),
  };
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The first answer that is one, within two seconds. */
export async function eventually<T>(look: () => T | undefined): Promise<T | undefined> {
  for (let tries = 0; tries < 40; tries += 1) {
    const found = look();
    if (found !== undefined) return found;
    await pause(50);
  }
  return undefined;
}
