import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Client, type Pool, transaction } from '../../platform/postgres/pool.ts';
import { claimPositions } from '../../platform/postgres/positions.ts';
import { consumerOf } from '../../platform/postgres/serving.ts';
import { likes } from '../../projectors/content/like.model.ts';
import { plainProjection } from '../../projectors/engine/projection.ts';
import {
  type Build,
  holdBuild,
  moveBuild,
  orderBuild,
  takeBuild,
} from '../../projectors/engine/rebuild/builds.ts';
import { switchTo } from '../../projectors/engine/rebuild/switch.ts';
import { createVersion, installFirst } from '../../projectors/engine/versions.ts';
import { graph } from '../../projectors/graph/follow.model.ts';
import { media } from '../../projectors/media/media.model.ts';
import { nth } from '../harness/events.ts';
import { waitsForLock } from '../harness/locks.ts';
import { openProjectionKit, type ProjectionKit } from '../harness/projection.ts';

let kit: ProjectionKit;
let pool: Pool;
beforeAll(async () => {
  kit = await openProjectionKit();
  pool = kit.pool;
});
afterAll(() => kit.close());

const projections = [likes, graph].map(plainProjection);
// Processes.
const [one, two] = [nth(1), nth(2)];
const order = { askedBy: 'somebody', autoSwitch: true };
const take = (holder: string, atOnce = 1) => takeBuild(pool, holder, projections, atOnce);
const ordered = (projection: (typeof projections)[number]) =>
  transaction(pool, (client) => orderBuild(client, projection, order));
const leaseRunsOut = () => pool.query(`UPDATE engine.rebuild SET held_until = now() - interval '1 second'`);

describe('a build', () => {
  afterEach(() => pool.query('DELETE FROM engine.rebuild'));

  /** Ordered and taken. */
  async function taken(holder: string): Promise<Build> {
    await ordered(projections[0]!);
    return (await take(holder))!;
  }

  it('of a model that is being built is refused, with who asked for it and what to do', async () => {
    await ordered(projections[0]!);
    await expect(ordered(projections[0]!)).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringMatching(/asked for by somebody .* emulsion cancel likes/),
    });
  });

  it('belongs to one process, until that has not been heard of for a while', async () => {
    const build = await taken(one);
    expect(build).toMatchObject({ model: 'likes', state: 'waiting' });
    expect(await take(two)).toBeNull();
    await leaseRunsOut();
    expect(await take(two)).toMatchObject({ version: build.version });
  });

  it('that another process has taken over is written by nobody else', async () => {
    const build = await moveBuild(pool, one, await taken(one), 'filling');
    await leaseRunsOut();
    expect(await take(two)).toMatchObject({ state: 'filling' });
    const held = transaction(pool, (client) => holdBuild(client, one, build, 'filling'));
    await expect(held).rejects.toMatchObject({ name: 'BuildLost' });
    await expect(moveBuild(pool, one, build, 'indexing')).rejects.toMatchObject({ name: 'BuildLost' });
    await transaction(pool, (client) => holdBuild(client, two, build, 'filling'));
  });

  it('that was cancelled does not go on', async () => {
    const build = await moveBuild(pool, one, await taken(one), 'filling');
    await pool.query(`UPDATE engine.rebuild SET state = 'cancelled'`);
    await expect(moveBuild(pool, one, build, 'indexing')).rejects.toMatchObject({ name: 'BuildLost' });
    expect((await pool.query('SELECT state FROM engine.rebuild')).rows).toEqual([{ state: 'cancelled' }]);
  });

  it('waits while as many are built as may be at once', async () => {
    for (const projection of projections) await ordered(projection);
    const first = (await take(one))!;
    await moveBuild(pool, one, first, 'filling');
    expect(await take(two)).toBeNull();
    expect(await take(two, 2)).toMatchObject({ state: 'waiting' });
  });
});

describe('a switch', () => {
  const topic = 'media-events';
  const served = async () =>
    (await pool.query(`SELECT version, previous FROM engine.serving WHERE model = 'media'`)).rows[0];
  const states = async () => {
    const { rows } = await pool.query(`SELECT version, state FROM engine.version WHERE model = 'media'`);
    return new Map(rows.map((row) => [row.version, row.state]));
  };
  const to = (version: number) => transaction(pool, (client) => switchTo(client, 'media', version));
  const versionIn = (state: 'projected' | 'filling') =>
    transaction(pool, (client) => createVersion(client, media, state));
  const stand = (version: number, position: number) =>
    claimPositions(pool, consumerOf('media', version), [{ topic, partition: 0, start: BigInt(position) }]);
  const move = (version: number, position: number) =>
    pool.query('UPDATE engine.position SET position = $2 WHERE consumer = $1', [
      consumerOf('media', version),
      position,
    ]);

  const positionOf = async (version: number, client: Client): Promise<number> => {
    const consumer = consumerOf('media', version);
    return (await client.query('SELECT position FROM engine.position WHERE consumer = $1', [consumer]))
      .rows[0].position;
  };

  beforeAll(async () => {
    const first = await installFirst(pool, media);
    await stand(first!, 10);
  });

  it('waits until the other version is nowhere behind the served one, which stands still meanwhile', async () => {
    const before = (await served()).version;
    const next = await versionIn('projected');
    await stand(next, 9);
    let stood: number | undefined;
    const switched = transaction(pool, async (client) => {
      await switchTo(client, 'media', next);
      stood = await positionOf(next, client);
    });
    const ahead = move(before, 11);
    await waitsForLock(pool, switched);
    expect((await served()).version).toBe(before);
    await move(next, 10);
    await switched;
    expect(stood).toBe(10);
    expect(await served()).toEqual({ version: next, previous: before });
    await ahead;
  });

  it('leaves the version that was served to be gone back to, and drops those before', async () => {
    const before = (await served()).version;
    const next = await versionIn('projected');
    await stand(next, 20);
    await to(next);
    expect(await served()).toEqual({ version: next, previous: before });
    const kept = [...(await states())].filter(([, state]) => state === 'projected');
    expect(kept.map(([version]) => version)).toEqual([before, next]);
    await move(before, 30);
    await to(before);
    expect(await served()).toEqual({ version: before, previous: next });
  });

  it('to what is not projected, or is being dropped, or was never there, is refused', async () => {
    const { version } = await served();
    const filling = await versionIn('filling');
    await stand(filling, 99);
    await pool.query(`UPDATE engine.version SET state = 'dropping' WHERE version = $1`, [
      (await served()).previous,
    ]);
    for (const other of [filling, (await served()).previous, 77, version])
      await expect(to(other)).rejects.toMatchObject({ name: 'Refused' });
    expect((await served()).version).toBe(version);
  });
});
