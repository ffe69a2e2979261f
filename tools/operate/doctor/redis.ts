import { readOfThisLife } from '../../../platform/redis/redis.ts';
import { timelineKeys } from '../../../schemas/content/timeline.keys.ts';
import { type Found, ok, warn, wrong } from './finding.ts';
import type { Patient } from './patient.ts';

const oldestVersion = 7;
const crowded = 0.8;

/** Whether Redis holds the timelines that Postgres names, and keeps what it is given. */
export async function checkRedis(patient: Patient): Promise<Found[]> {
  if (!(await patient.redisAnswers))
    return [
      wrong(
        'does not answer',
        'Start it (npx emulsion up), or correct REDIS_URL. Feeds come from Postgres and frames arrive late meanwhile.',
      ),
    ];
  const info = parseInfo(await patient.redis.info());
  return [checkVersion(info), checkMemory(info), checkPersistence(info), ...(await checkEpoch(patient))];
}

type Info = ReadonlyMap<string, string>;

function parseInfo(text: string): Info {
  const pairs = text.split('\r\n').filter((line) => line.includes(':'));
  return new Map(pairs.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

function checkVersion(info: Info): Found {
  const version = info.get('redis_version') ?? '';
  if (Number.parseInt(version, 10) >= oldestVersion) return ok(`Redis ${version}`);
  return warn(
    `Redis ${version || 'of an unknown version'}`,
    `Upgrade it: ${oldestVersion}.0 is what is tested.`,
  );
}

/** A full Redis must refuse loudly: what it evicts by itself is a silent hole in somebody's feed. */
function checkMemory(info: Info): Found {
  const policy = info.get('maxmemory_policy') ?? '';
  const [used, most] = [Number(info.get('used_memory')), Number(info.get('maxmemory'))];
  const evicted = Number(info.get('evicted_keys') ?? 0);
  if (policy !== 'noeviction')
    return wrong(
      `maxmemory-policy is ${policy}${evicted > 0 ? `, and ${evicted} keys are gone` : ''}`,
      'Set maxmemory-policy noeviction; keys that are gone come back by emulsion rebuild timelines.',
    );
  if (most > 0 && used > most * crowded)
    return warn(
      `${Math.round((used / most) * 100)} % of its memory is used`,
      'Raise maxmemory before it refuses writes.',
    );
  const limit = most > 0 ? `of ${Math.round(most / 1_048_576)} MB` : 'and no limit';
  return ok(`noeviction, ${Math.round(used / 1_048_576)} MB ${limit} used`);
}

function checkPersistence(info: Info): Found {
  const failed = ['aof_last_write_status', 'rdb_last_bgsave_status'].filter(
    (key) => (info.get(key) ?? 'ok').trim() !== 'ok',
  );
  if (failed.length > 0)
    return wrong(`could not save: ${failed.join(', ')}`, 'Look at its disk and its log.');
  if (info.get('aof_enabled') === '1') return ok('keeps an append-only file');
  return warn(
    'keeps no append-only file: a restart empties it',
    'Set appendonly yes. Until then every restart makes all timelines again.',
  );
}

/** Feeds are answered from Redis only while it holds the set of timelines that Postgres names (DESIGN §6). */
async function checkEpoch({ pool, redis, config, postgresAnswers }: Patient): Promise<Found[]> {
  if (!(await postgresAnswers)) return [];
  const { rows } = await pool.query(
    `SELECT v.version, v.schema_name FROM engine.serving s JOIN engine.version v USING (model, version)
     WHERE s.model = 'timelines'`,
  );
  if (!rows[0]) return [];
  const state = await pool.query(`SELECT epoch FROM ${rows[0].schema_name}.timeline_state`);
  const { epoch, life } = timelineKeys(config.prefix, rows[0].version);
  const held = await readOfThisLife(redis, epoch, life);
  if (held === state.rows[0]?.epoch) return [ok('holds the timelines that Postgres names')];
  return [
    warn(
      'does not hold the timelines that Postgres names: feeds come from Postgres, more slowly',
      'The projectors make them again by themselves; if this stays, read their log.',
    ),
  ];
}
