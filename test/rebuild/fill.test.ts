import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { transaction } from '../../platform/postgres/pool.ts';
import { likes } from '../../projectors/content/like.model.ts';
import { plainProjection } from '../../projectors/engine/projection.ts';
import { type Build, moveBuild, orderBuild, takeBuild } from '../../projectors/engine/rebuild/builds.ts';
import { aim, type FillOptions, fill, leftToFill } from '../../projectors/engine/rebuild/fill.ts';
import { finishFilling } from '../../projectors/engine/rebuild/finish.ts';
import { openProgress } from '../../projectors/engine/rebuild/progress.ts';
import { openBuild } from '../../projectors/engine/runner.ts';
import { ana, ben, cleo, event, noon, nth } from '../harness/events.ts';
import { type LoggedEngine, openLoggedEngine } from '../harness/logged.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

let kit: ProjectionKit;
let logged: LoggedEngine;
beforeAll(async () => {
  kit = await openProjectionKit();
  logged = await openLoggedEngine(kit);
  await logged.append(
    [ana, ben, cleo].map((likerId) => event('PostLiked', { postId: nth(1), likerId, authorId: ana }, noon)),
  );
});
afterAll(async () => {
  await logged?.close();
  await kit?.close();
});

const holder = nth(7);
const projection = plainProjection(likes);
let build: Build;
let options: FillOptions;

/** A build that is about to be filled. */
beforeEach(async () => {
  await kit.pool.query(`UPDATE engine.rebuild SET state = 'cancelled'`);
  const order = { askedBy: 'test', autoSwitch: false };
  await transaction(kit.pool, (client) => orderBuild(client, projection, order));
  const taken = (await takeBuild(kit.pool, holder, [projection], 1))!;
  build = await moveBuild(kit.pool, holder, taken, 'filling');
  const installed = await openBuild(kit.pool, likes, build.version);
  const progress = openProgress(kit.pool, build);
  const { signal } = new AbortController();
  options = {
    ...{ engine: logged.engine, installed, build, holder, progress, signal, killers: new Set() },
    unpaused: async () => {},
  };
  await aim(options);
});

async function finished() {
  await transaction(kit.pool, (client) => finishFilling(client, projection, options.installed));
  await options.progress.close();
  return kit.rows(options.installed);
}
const whole = { post_like_count: [{ post_id: nth(1), likes: 3 }] };
const left = async () =>
  (await leftToFill(options)).reduce((sum, { from, to }) => sum + Number(to - from), 0);

it('a build has all of the log up to where it ended, and goes on from there', async () => {
  expect(await left()).toBe(3);
  await fill(options);
  expect(await left()).toBe(0);
  expect(await finished()).toMatchObject(whole);
  const { rows } = await kit.pool.query(
    'SELECT sum(position)::int AS sum FROM engine.position WHERE consumer = $1',
    [options.installed.consumer],
  );
  expect(rows).toEqual([{ sum: 3 }]);
});

it('after a crash of Postgres, which empties what was staged, it is filled from the beginning', async () => {
  await fill(options);
  const { schema } = options.installed;
  await kit.pool.query(`TRUNCATE ${schema}.fill_post_like, ${schema}.fill_mark`);
  await aim(options);
  expect(await left()).toBe(3);
  await fill(options);
  expect(await finished()).toMatchObject(whole);
});

it('what another process has staged meanwhile is not staged again', async () => {
  const moved = () =>
    kit.pool.query('UPDATE engine.rebuild_partition SET position = target WHERE version = $1', [
      build.version,
    ]);
  const filled = fill({ ...options, unpaused: async () => void (await moved()) });
  await expect(filled).rejects.toMatchObject({ name: 'BuildLost' });
  await options.progress.close();
});
