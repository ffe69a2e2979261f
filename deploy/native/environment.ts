import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Part, partNamed, parts } from '../parts.ts';
import { unpackedProgram } from './install/debian.ts';
import { type Paths, resolvePaths } from './paths.ts';
import { type Environment, type Ports, resolvePorts } from './ports.ts';
import { masterKey, secret, secretFile } from './secrets.ts';

/** The login roles beside the owner; migrations grant to them, deploy makes them. */
export const roles = ['emulsion_command', 'emulsion_query', 'emulsion_projector', 'emulsion_media'] as const;
export const ownerRole = 'emulsion';
export const registryRole = 'emulsion_registry';

export type StackOptions = { env?: Environment };

/**
 * Everything our services and commands need to find one stack: the addresses, credentials and names, by key.
 * What the user's own environment gives wins; a default that is a secret is made on first use in EMULSION_HOME.
 */
export function stackEnvironment(options: StackOptions = {}): Record<string, string> {
  const env = options.env ?? process.env;
  const ports = resolvePorts(env);
  const paths = resolvePaths(env);
  const result: Record<string, string> = {};
  for (const [key, value] of Object.entries(defaults(paths, ports))) {
    result[key] = env[key] || value();
  }
  result.S3_PUBLIC_ENDPOINT = env.S3_PUBLIC_ENDPOINT || result.S3_ENDPOINT!;
  return result;
}

/** Lazy, so that a stack addressed wholly by environment makes no secrets of its own. */
function defaults(paths: Paths, ports: Ports): Record<string, () => string> {
  return {
    KAFKA_BROKERS: () => `127.0.0.1:${ports.EMULSION_KAFKA_PORT}`,
    SCHEMA_REGISTRY_URL: () => `http://127.0.0.1:${ports.EMULSION_REGISTRY_PORT}/apis/ccompat/v7`,
    DATABASE_URL: () => databaseUrl(paths, ports, ownerRole, 'emulsion'),
    COMMAND_DATABASE_URL: () => databaseUrl(paths, ports, 'emulsion_command', 'emulsion'),
    QUERY_DATABASE_URL: () => databaseUrl(paths, ports, 'emulsion_query', 'emulsion'),
    PROJECTOR_DATABASE_URL: () => databaseUrl(paths, ports, 'emulsion_projector', 'emulsion'),
    MEDIA_DATABASE_URL: () => databaseUrl(paths, ports, 'emulsion_media', 'emulsion'),
    REDIS_URL: () => `redis://:${secret(paths, 'redis')}@127.0.0.1:${ports.EMULSION_REDIS_PORT}`,
    S3_ENDPOINT: () => `http://127.0.0.1:${ports.EMULSION_S3_PORT}`,
    S3_PUBLIC_ENDPOINT: () => '',
    S3_REGION: () => partNamed('s3').settings.VGW_REGION!,
    S3_ACCESS_KEY_ID: () => 'emulsion',
    S3_SECRET_ACCESS_KEY: () => secret(paths, 's3'),
    S3_BUCKET: () => 'emulsion',
    PUBLIC_URL: () => `http://127.0.0.1:${ports.EMULSION_PORT}`,
    EMULSION_POSTGRES_DATA: () => postgresData(paths),
    EMULSION_PREFIX: () => '',
    EMULSION_PARTITIONS: () => '12',
    EMULSION_REPLICATION: () => '1',
    EMULSION_MASTER_KEY_FILE: () => {
      secret(paths, 'master.key', masterKey);
      return secretFile(paths, 'master.key');
    },
    FFMPEG_PATH: () => unpackedProgram(paths.cache, 'ffmpeg', 'ffmpeg'),
    FFPROBE_PATH: () => unpackedProgram(paths.cache, 'ffmpeg', 'ffprobe'),
    EMULSION_TRUSTED_PROXIES: () => '127.0.0.1/32,::1/128',
  };
}

/** The folder itself once it is there: it may lie on another disk than the home. */
function postgresData(paths: Paths): string {
  const data = join(paths.home, 'postgres/data');
  return existsSync(data) ? data : paths.home;
}

/** Address of a database of this stack's own Postgres as that role. */
export function databaseUrl(paths: Paths, ports: Ports, role: string, database: string): string {
  const port = ports.EMULSION_POSTGRES_PORT;
  return `postgresql://${role}:${secret(paths, `postgres-${role}`)}@127.0.0.1:${port}/${database}`;
}

/**
 * What one service process is started with: the stack, its own PORT, and as DATABASE_URL the address of its own role.
 * A service that could read another's would make the narrow roles pointless, so those are left out.
 */
export function serviceEnvironment(part: Part, stack: Record<string, string>, ports: Ports): Environment {
  const env: Environment = { ...process.env, ...stack };
  for (const key of partNamed('postgres').gives) delete env[key];
  env.DATABASE_URL = stack[part.database!];
  return { ...env, PORT: String(ports[part.ports[0]!.key]), SERVICE_NAME: part.name };
}

/** All keys that parts promise to services, for checks. */
export function promisedKeys(): string[] {
  return parts.flatMap((part) => part.gives);
}
