import { Redis } from 'ioredis';
import { vi } from 'vitest';
import { readOfThisLife } from '../../platform/redis/redis.ts';
import { timelineKeys } from '../../schemas/content/timeline.keys.ts';
import type { World } from '../harness/world.ts';

/**
 * Throws away every table of every served model and all that this world has in Redis, and has it made again from the
 * log. Resolves when everything is applied and feeds come from Redis again. The stream's frames stay: what was told is
 * not told again.
 */
export async function remakeEverything(world: World, patienceMs = 180_000): Promise<void> {
  const redis = new Redis(world.env.REDIS_URL!);
  try {
    await world.services.projectors.stop();
    await dropModels(world);
    const keys = await redis.keys(`${world.prefix}*`);
    if (keys.length > 0) await redis.del(...keys);
    await world.services.projectors.start();
    await world.drained(patienceMs);
    await vi.waitFor(async () => feedsComeFromRedis(world, redis), { timeout: patienceMs, interval: 200 });
  } finally {
    redis.disconnect();
  }
}

async function dropModels({ owner }: World): Promise<void> {
  const { rows } = await owner.query(
    'SELECT model, version, schema_name FROM engine.version WHERE model IN (SELECT model FROM engine.serving)',
  );
  if (rows.length === 0) throw new Error('Nothing is served that could be thrown away.');
  for (const { model, version, schema_name } of rows) {
    await owner.query(`DROP SCHEMA ${schema_name} CASCADE`);
    for (const table of ['position', 'parked', 'suspect'])
      await owner.query(`DELETE FROM engine.${table} WHERE consumer = $1`, [`${model}.v${version}`]);
  }
  const models = rows.map(({ model }) => model);
  for (const table of ['serving', 'version', 'rebuild', 'rebuild_partition'])
    await owner.query(`DELETE FROM engine.${table} WHERE model = ANY($1)`, [models]);
}

export async function feedsComeFromRedis(world: World, redis: Redis): Promise<void> {
  const { rows } = await world.owner.query(
    "SELECT version, schema_name FROM engine.serving JOIN engine.version USING (model, version) WHERE model = 'timelines'",
  );
  const [{ version, schema_name }] = rows;
  const state = await world.owner.query(`SELECT epoch FROM ${schema_name}.timeline_state`);
  const { epoch, life } = timelineKeys(world.prefix, version);
  const kept = await readOfThisLife(redis, epoch, life);
  if (kept !== state.rows[0].epoch) throw new Error('the timelines are not whole yet');
}
