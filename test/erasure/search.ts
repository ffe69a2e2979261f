import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { Redis } from 'ioredis';
import type pg from 'pg';
import { topics } from '../../schemas/topics.ts';
import { readTopic } from '../harness/log.ts';
import type { World } from '../harness/world.ts';

/** Texts as they may lie anywhere: as themselves, whatever the case, and as the hexadecimal that Postgres prints bytes in. */
function forms(texts: readonly string[]): string[] {
  const plain = texts.map((text) => text.toLowerCase());
  return [...plain, ...texts.map((text) => Buffer.from(text).toString('hex'))];
}

/** Every row of every table of every schema of a database. */
export async function searchPostgres(owner: pg.Pool, texts: readonly string[]): Promise<string[]> {
  const { rows: tables } = await owner.query(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const { rows } = await owner.query(
      `SELECT count(*)::int AS rows FROM ${name} t WHERE lower(t::text) LIKE ANY($1::text[])`,
      [forms(texts).map((text) => `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`)],
    );
    if (rows[0].rows > 0) found.push(`${name}: ${rows[0].rows} rows`);
  }
  return found;
}

/** Every key of a world, and all that it holds. */
export async function searchRedis(world: World, texts: readonly string[]): Promise<string[]> {
  const redis = new Redis(world.env.REDIS_URL!);
  const found: string[] = [];
  try {
    for (const key of await redis.keys(`${world.prefix}*`)) {
      const held = `${key} ${JSON.stringify(await heldBy(redis, key))}`.toLowerCase();
      if (forms(texts).some((text) => held.includes(text))) found.push(key);
    }
  } finally {
    redis.disconnect();
  }
  return found;
}

async function heldBy(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'string':
      return redis.get(key);
    case 'zset':
      return redis.zrange(key, '0', '-1', 'WITHSCORES');
    case 'stream':
      return redis.xrange(key, '-', '+');
    case 'none':
      return null;
    default:
      throw new Error(`${key} is of a type that nobody searches`);
  }
}

/** The raw bytes of every record of every topic. */
export async function searchLog(
  { kafka, prefix }: World,
  texts: readonly string[],
  bytes: readonly Buffer[],
): Promise<string[]> {
  const found: string[] = [];
  for (const topic of topics) {
    for (const { partition, offset, value, key } of await readTopic(kafka, `${prefix}${topic}`)) {
      const said = `${key} ${value.toString('latin1')}`.toLowerCase();
      const written = texts.some((text) => said.includes(Buffer.from(text).toString('latin1').toLowerCase()));
      if (written || bytes.some((part) => value.includes(part)))
        found.push(`${topic}/${partition}/${offset}`);
    }
  }
  return found;
}

export interface StoredObjects {
  keys(prefix?: string): Promise<string[]>;
  get(key: string): Promise<Buffer>;
  /** Keys of objects that are exactly one of these. */
  search(bytes: readonly Buffer[]): Promise<string[]>;
  close(): void;
}

export function openObjects({ env }: World): StoredObjects {
  const client = new S3Client({
    endpoint: env.S3_ENDPOINT!,
    region: env.S3_REGION ?? 'us-east-1',
    credentials: { accessKeyId: env.S3_ACCESS_KEY_ID!, secretAccessKey: env.S3_SECRET_ACCESS_KEY! },
    forcePathStyle: true,
  });
  const Bucket = env.S3_BUCKET!;
  const list = async (Prefix = ''): Promise<{ key: string; size: number }[]> => {
    const all: { key: string; size: number }[] = [];
    for (let ContinuationToken: string | undefined; ; ) {
      const page = await client.send(new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken }));
      all.push(...(page.Contents ?? []).map(({ Key, Size }) => ({ key: Key!, size: Size ?? 0 })));
      if (!page.IsTruncated) return all;
      ContinuationToken = page.NextContinuationToken;
    }
  };
  const get = async (Key: string): Promise<Buffer> => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from(await Body!.transformToByteArray());
  };
  return {
    keys: async (prefix) => (await list(prefix)).map(({ key }) => key),
    get,
    async search(bytes) {
      const alike = (await list()).filter(({ size }) => bytes.some((own) => own.length === size));
      const found: string[] = [];
      // Other tests remove their own meanwhile.
      for (const { key } of alike) {
        const body = await get(key).catch(() => Buffer.alloc(0));
        if (bytes.some((own) => own.equals(body))) found.push(key);
      }
      return found;
    },
    close: () => client.destroy(),
  };
}
