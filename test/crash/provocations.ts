import { Redis } from 'ioredis';
import { expect, vi } from 'vitest';
import { timelineKeys } from '../../schemas/content/timeline.keys.ts';
import { ask, type Question } from '../../tools/operate/ask.ts';
import { dismissMembers } from '../harness/group.ts';
import type { Service } from '../harness/services.ts';
import type { World } from '../harness/world.ts';
import { feedsComeFromRedis } from '../oracle/remake.ts';

/** A process that is to die. */
export interface Death {
  world: World;
  service: Service;
  /** From now on it dies when it comes to its point. */
  arm(): void;
}

/** What brings a process to its point, beside the history that is written. */
export interface Provocation {
  /** Before the history begins, or in the middle of it. */
  from: 'start' | 'middle';
  /** Resolves when what it began has come to its end, over the death. */
  come(death: Death): Promise<void>;
}

const patience = { timeout: 180_000, interval: 100 };

const atStart: Provocation = { from: 'start', come: async ({ arm }) => arm() };
const inTheMiddle: Provocation = { from: 'middle', come: async ({ arm }) => arm() };

/** By the whole name of the point, or by its beginning; the history itself leads to the others. */
const provocations: Record<string, Provocation> = {
  // Registrations and photographs come first in every history.
  register: atStart,
  relay: atStart,
  media: atStart,
  'consumer.claimed': whenPutOut(),
  'consumer.leaving': amid(async ({ service, arm }) => {
    arm();
    service.signal('SIGTERM');
  }),
  'timelines.lost': amid(loseUnderWrites),
  'timelines.remade': amid(async ({ world, arm }) => {
    arm();
    await loseTimelines(world);
  }),
  'command.taken': rebuilt('media'),
  'command.carried': amid(rollBack),
  'version.dropping': amid(drop),
  letters: amid(retryLetters),
  'rebuild.staged': rebuilt('posts'),
  'rebuild.filled': rebuilt('timelines'),
  'rebuild.settled': rebuilt('likes'),
  'rebuild.indexed': rebuilt('timelines'),
  'rebuild.verified': rebuilt('accounts'),
  'switch.middle': rebuilt('graph'),
  'switch.done': rebuilt('timelines'),
  repair: amid(repair),
  erase: amid(eraseSomebody),
  'media.erase.variants-removed': amid(eraseSomebody),
  'media.erase.removed': amid(eraseSomebody),
};

export function provocationOf(name: string): Provocation {
  return provocations[name] ?? provocations[name.split('.')[0]!] ?? inTheMiddle;
}

function amid(come: Provocation['come']): Provocation {
  return { from: 'middle', come };
}

async function order(
  world: World,
  kind: Question['kind'],
  model: string,
  given: Record<string, unknown> = {},
): Promise<void> {
  const answer = await ask(world.owner, { kind, model, arguments: given, askedBy: 'test' });
  expect(answer).toMatchObject({ outcome: 'done' });
}

async function rebuild(world: World, model: string): Promise<void> {
  await order(world, 'rebuild', model);
  await vi.waitFor(async () => {
    const { rows } = await world.owner.query(
      'SELECT state, detail FROM engine.rebuild WHERE model = $1 ORDER BY version DESC LIMIT 1',
      [model],
    );
    expect(rows).toMatchObject([{ state: 'switched' }]);
  }, patience);
}

function rebuilt(model: string): Provocation {
  return amid(async ({ world, arm }) => {
    arm();
    await rebuild(world, model);
  });
}

async function served(world: World, model: string): Promise<number> {
  const { rows } = await world.owner.query('SELECT version FROM engine.serving WHERE model = $1', [model]);
  return rows[0].version;
}

/** What was carried out before the death is not carried out once more: back and forth would be nowhere. */
async function rollBack({ world, arm }: Death): Promise<void> {
  const before = await served(world, 'posts');
  await rebuild(world, 'posts');
  arm();
  await order(world, 'rollback', 'posts');
  expect(await served(world, 'posts')).toBe(before);
}

async function drop({ world, arm }: Death): Promise<void> {
  const before = await served(world, 'timelines');
  await rebuild(world, 'timelines');
  arm();
  await order(world, 'drop', 'timelines', { version: before });
  await vi.waitFor(async () => {
    const { rows } = await world.owner.query(
      'SELECT FROM pg_namespace WHERE nspname = $1 UNION ALL SELECT FROM engine.version WHERE schema_name = $1',
      [`timelines_v${before}`],
    );
    expect(rows).toEqual([]);
  }, patience);
  const left = `${timelineKeys(world.prefix, before).timeline('')}*`;
  expect(await withRedis(world, (redis) => redis.keys(left))).toEqual([]);
}

/** The broker has put the process out, so it joins again and claims what it held. */
function whenPutOut(): Provocation {
  return amid(async ({ world, service, arm }) => {
    arm();
    await dismissMembers(world, service.name);
  });
}

async function loseTimelines(world: World): Promise<void> {
  const { epoch } = timelineKeys(world.prefix, await served(world, 'timelines'));
  await withRedis(world, (redis) => redis.del(epoch));
}

async function withRedis<T>(world: World, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(world.env.REDIS_URL!);
  return work(redis).finally(() => redis.disconnect());
}

/** Redis loses the timelines again and again, until it is a round that sees it and not the look of each second. */
async function loseUnderWrites({ world, service, arm }: Death): Promise<void> {
  const [reader, author] = [await world.api.register(), await world.api.register()];
  let died = false;
  const ended = service.ended().then(() => {
    died = true;
  });
  arm();
  while (!died) {
    await loseTimelines(world);
    for (const method of ['POST', 'DELETE'])
      await world.api.as(reader, method, `/api/users/${author.username}/follow`);
  }
  await ended;
}

/** A follow that no event explains goes, from the rows and from the feed. */
async function repair({ world, arm }: Death): Promise<void> {
  const [reader, author] = [await world.api.register(), await world.api.register()];
  const photo = await world.api.upload(author);
  await world.api.publish(author, [photo]);
  await world.drained(patience.timeout);
  await world.owner.query(
    `INSERT INTO timelines_v${await served(world, 'timelines')}.timeline_follow
       (follower_id, followee_id, followed_at, live, event_time, event_id)
     VALUES ($1, $2, now(), true, now(), gen_random_uuid())`,
    [reader.id, author.id],
  );
  await loseTimelines(world);
  await withRedis(world, (redis) => vi.waitFor(() => feedsComeFromRedis(world, redis), patience));
  arm();
  await order(world, 'rebuild', 'timelines', { user: author.id });
}

/** Somebody goes, and whoever answers or clears up after them may be who dies. */
async function eraseSomebody({ world, arm }: Death): Promise<void> {
  const { api, owner } = world;
  const leaver = await api.register();
  await world.drained(patience.timeout);
  const mediaId = await api.upload(leaver);
  // What is still on its way when the account goes is removed by the pipeline itself, and nothing left for the eraser.
  await vi.waitFor(async () => {
    const { body } = await api.as(leaver, 'GET', `/api/media/${mediaId}`);
    expect(body.state).toBe('ready');
  }, patience);
  arm();
  const { id, token, password } = leaver;
  // Killed before the commit nothing has happened; behind it the token is none any more.
  await vi.waitFor(async () => {
    const { status } = await api.call('DELETE', '/api/users/me', { token, body: { password } });
    expect([204, 401]).toContain(status);
  }, patience);
  await vi.waitFor(async () => {
    const { rows } = await owner.query(
      `SELECT objects_at IS NOT NULL AS removed, relayed_at IS NOT NULL AS told
       FROM vault.erasure JOIN vault.outbox USING (event_id) WHERE user_id = $1`,
      [id],
    );
    expect(rows).toEqual([{ removed: true, told: true }]);
  }, patience);
}

/** Records are parked, what was wrong is set right, and they are tried again until none is left. */
async function retryLetters({ world, arm }: Death): Promise<void> {
  const { owner, api } = world;
  const [reader, author] = [await api.register(), await api.register()];
  const table = `graph_v${await served(world, 'graph')}.follow`;
  await owner.query(`
    CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = 'check_violation'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION public.refuse()`);
  await api.as(reader, 'POST', `/api/users/${author.username}/follow`);
  const parked = async (): Promise<number> => (await owner.query('SELECT FROM engine.parked')).rows.length;
  await vi.waitFor(async () => expect(await parked()).toBeGreaterThan(0), patience);
  await owner.query('DROP FUNCTION public.refuse CASCADE');
  arm();
  // A record that a process died of is not tried again by itself.
  await vi.waitFor(async () => {
    await owner.query('UPDATE engine.parked SET retry = true WHERE NOT retry');
    expect(await parked()).toBe(0);
  }, patience);
}
