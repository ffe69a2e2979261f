import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65535);
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

const environment = z.object({
  EMULSION_PREFIX: z
    .string()
    .regex(/^[a-z0-9.-]*$/)
    .default(''),
  EMULSION_PARTITIONS: z.coerce.number().int().min(1).max(1024).default(12),
  EMULSION_REPLICATION: z.coerce.number().int().min(1).max(9).default(1),
  EMULSION_HOST: z.string().default('127.0.0.1'),
  PORT: port.default(0),
  KAFKA_BROKERS: list.pipe(z.array(z.string()).min(1)),
  SCHEMA_REGISTRY_URL: z.url(),
  DATABASE_URL: z.url(),
  REDIS_URL: z.url(),
  PUBLIC_URL: z.url().default('http://127.0.0.1:8080'),
  EMULSION_MASTER_KEY_FILE: z.string().min(1),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  S3_ENDPOINT: z.url().optional(),
  S3_PUBLIC_ENDPOINT: z.url().optional(),
  S3_REGION: z.string().default('us-east-1'),
  S3_ACCESS_KEY_ID: z.string().default(''),
  S3_SECRET_ACCESS_KEY: z.string().default(''),
  S3_BUCKET: z.string().default('emulsion'),
  EMULSION_CORS_ORIGINS: list.default([]),
  EMULSION_TRUSTED_PROXIES: list.default([]),
  EMULSION_FANOUT_THRESHOLD: z.coerce.number().int().min(1).default(10_000),
  EMULSION_REBUILDS: z.coerce.number().int().min(1).max(16).default(1),
  EMULSION_POSTGRES_DATA: z.string().optional(),
  EMULSION_MEDIA_MAX_PIXELS: z.coerce.number().int().min(1).default(100_000_000),
  EMULSION_MEDIA_AT_ONCE: z.coerce.number().int().min(1).max(64).default(2),
});

export interface StorageConfig {
  endpoint: string;
  publicEndpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  bucket: string;
}

/** What every process is told at its start. Nothing reads the environment after this. */
export interface Config {
  prefix: string;
  partitions: number;
  /** Brokers that keep each topic made from now on; of three or more, two must have a write before it is answered. */
  replication: number;
  host: string;
  port: number;
  kafkaBrokers: string[];
  registryUrl: string;
  databaseUrl: string;
  redisUrl: string;
  publicUrl: string;
  masterKeyFile: string;
  logLevel: string;
  /** null: uploads are off and all else runs. */
  s3: StorageConfig | null;
  corsOrigins: string[];
  trustedProxies: string[];
  /** Followers above which an author's posts are pulled at read instead of fanned out. */
  fanoutThreshold: number;
  /** Builds of models worked on at a time in the whole system. */
  rebuildsAtOnce: number;
  /** A folder on the disk of Postgres, where this machine sees it: a rebuild looks there for room. */
  postgresData: string | null;
  media: MediaLimits;
}

export interface MediaLimits {
  /** Width times height; what a decoder may need memory for, whatever the file weighs. */
  maxPixels: number;
  /** Pictures worked on at a time in one process. */
  atOnce: number;
}

/** Reads and checks the environment once. Throws one sentence that names every wrong key. */
export function readConfig(env: Record<string, string | undefined> = process.env): Config {
  // An empty value means that it is not set, as in most tools: S3_ENDPOINT= switches uploads off.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(given);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')} (${issue.message})`).join(', ');
    throw new Error(`The configuration is not usable: ${wrong}. Set these environment keys and start again.`);
  }
  return fromEnvironment(parsed.data);
}

function fromEnvironment(e: z.infer<typeof environment>): Config {
  return {
    prefix: e.EMULSION_PREFIX,
    partitions: e.EMULSION_PARTITIONS,
    replication: e.EMULSION_REPLICATION,
    host: e.EMULSION_HOST,
    port: e.PORT,
    kafkaBrokers: e.KAFKA_BROKERS,
    registryUrl: e.SCHEMA_REGISTRY_URL,
    databaseUrl: e.DATABASE_URL,
    redisUrl: e.REDIS_URL,
    publicUrl: e.PUBLIC_URL,
    masterKeyFile: e.EMULSION_MASTER_KEY_FILE,
    logLevel: e.LOG_LEVEL,
    s3: storageFrom(e),
    corsOrigins: e.EMULSION_CORS_ORIGINS,
    trustedProxies: e.EMULSION_TRUSTED_PROXIES,
    fanoutThreshold: e.EMULSION_FANOUT_THRESHOLD,
    rebuildsAtOnce: e.EMULSION_REBUILDS,
    postgresData: e.EMULSION_POSTGRES_DATA ?? null,
    media: {
      maxPixels: e.EMULSION_MEDIA_MAX_PIXELS,
      atOnce: e.EMULSION_MEDIA_AT_ONCE,
    },
  };
}

function storageFrom(e: z.infer<typeof environment>): StorageConfig | null {
  if (!e.S3_ENDPOINT) return null;
  return {
    endpoint: e.S3_ENDPOINT,
    publicEndpoint: e.S3_PUBLIC_ENDPOINT ?? e.S3_ENDPOINT,
    region: e.S3_REGION,
    accessKeyId: e.S3_ACCESS_KEY_ID,
    secretAccessKey: e.S3_SECRET_ACCESS_KEY,
    bucket: e.S3_BUCKET,
  };
}
