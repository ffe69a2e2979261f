import { createTokenVerifier } from '../platform/http/access-token.ts';
import { type BoundRoute, createBinder } from '../platform/http/bind.ts';
import type { HealthCheck } from '../platform/http/operations.ts';
import { type HttpServer, openHttpServer } from '../platform/http/server.ts';
import { createKeyStore, type PublicKey } from '../platform/http/signing-keys.ts';
import type { Pool } from '../platform/postgres/pool.ts';
import { prepared } from '../platform/postgres/prepared.ts';
import type { Serving } from '../platform/postgres/serving.ts';
import type { Waiter } from '../platform/postgres/waiter.ts';
import type { Redis } from '../platform/redis/redis.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';
import { watchErasures } from '../platform/vault/erasures.ts';
import { modelTopics } from '../schemas/models.ts';
import { allRoutes } from '../schemas/routes.ts';
import { userRoutes } from './account/user.route.ts';
import { feedRoutes } from './content/feed.route.ts';
import { likeRoutes } from './content/like.route.ts';
import { postRoutes } from './content/post.route.ts';
import { blockRoutes } from './graph/block.route.ts';
import { followRoutes } from './graph/follow.route.ts';
import { mediaRoutes } from './media/media.route.ts';
import type { Room } from './room.ts';
import { openRows } from './rows.ts';
import { type Scope, scopeHooks } from './scope.ts';
import { openapiRoutes } from './system/openapi.route.ts';

export interface QueryApiOptions {
  host: string;
  port: number;
  log: Logger;
  metrics: Metrics;
  pool: Pool;
  redis: Redis;
  serving: Serving;
  waiter: Waiter;
  /** Of Redis keys. */
  prefix: string;
  /** Where clients find the front door; also who issues access tokens. */
  publicUrl: string;
  corsOrigins: readonly string[];
  trustedProxies: readonly string[];
}

/** Everything that is read over plain HTTP. */
export async function openQueryApi(options: QueryApiOptions): Promise<HttpServer> {
  const { pool, serving, waiter, redis, prefix, publicUrl, log } = options;
  const positionKey = await readPositionKey(pool);
  const db = prepared(pool);
  const handle = createBinder<Scope>({
    verify: createTokenVerifier({
      keyOf: createKeyStore(() => readPublicKeys(pool)),
      issuer: publicUrl,
      isErased: watchErasures(pool),
    }),
    ...scopeHooks({ db, rows: openRows({ db, moves: waiter.moves }), serving, waiter, positionKey }),
  });
  const routes = boundRoutes({ handle, log, redis, prefix, publicUrl });
  return openHttpServer({ ...options, routes, known: allRoutes, checks: healthChecks(options) });
}

/** Every route of this service, by noun. */
export function boundRoutes(room: Room): BoundRoute[] {
  return [
    userRoutes,
    followRoutes,
    blockRoutes,
    postRoutes,
    likeRoutes,
    feedRoutes,
    mediaRoutes,
    openapiRoutes,
  ].flatMap((routesOf) => routesOf(room));
}

async function readPositionKey(pool: Pool): Promise<Buffer> {
  const { rows } = await pool.query("SELECT value FROM engine.setting WHERE name = 'position_key'");
  if (!rows[0]) throw new Error('engine.setting holds no position_key: run the migrations, then start again');
  return rows[0].value;
}

async function readPublicKeys(pool: Pool): Promise<PublicKey[]> {
  const { rows } = await pool.query('SELECT kid, public_jwk FROM vault.signing_key');
  return rows.map((row) => ({ kid: row.kid, jwk: row.public_jwk }));
}

/** Without Postgres nothing can be read; without anything else something still can. */
function healthChecks({ pool, redis, serving, waiter }: QueryApiOptions): HealthCheck[] {
  return [
    { name: 'postgres', required: true, check: async () => void (await pool.query('SELECT')) },
    { name: 'redis', required: false, check: async () => void (await redis.ping()) },
    { name: 'views', required: false, check: async () => checkViews(serving) },
    { name: 'projections', required: false, check: async () => checkFresh(serving, waiter) },
    { name: 'parked', required: false, check: () => checkParked(pool) },
  ];
}

function checkViews(serving: Serving): void {
  const served = serving.snapshot();
  const missing = Object.keys(modelTopics).filter((name) => !served.has(name));
  if (missing.length > 0)
    throw new Error(`no version of ${missing.join(', ')} is served; are the projectors running?`);
}

/** Seconds; what is older is told by /readyz and served all the same. */
const oldAfter = 15;

/** A model that is paused, frozen or behind, whatever the reason (F-OP7). */
function checkFresh(serving: Serving, waiter: Waiter): void {
  const old = [...serving.snapshot()].flatMap(([model, { consumer }]) => {
    const asOf = waiter.asOf(consumer);
    const seconds = Math.round((Date.now() - asOf) / 1_000);
    if (asOf === 0) return [`nothing is known of ${model}`];
    return seconds > oldAfter ? [`${model} is ${seconds} s old`] : [];
  });
  if (old.length > 0) throw new Error(`${old.join(', ')}: see emulsion projections`);
}

async function checkParked(pool: Pool): Promise<void> {
  const { rows } = await pool.query('SELECT count(DISTINCT (consumer, key)) AS keys FROM engine.parked');
  if (rows[0].keys > 0)
    throw new Error(`${rows[0].keys} keys are parked: emulsion dead-letters list names the records and why`);
}
