import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Event } from '../../schemas/generated/events.ts';
import { expectStatus, type Person, samplePhoto } from '../harness/client.ts';
import { event } from '../harness/events.ts';
import { readTopic } from '../harness/log.ts';
import { startWorld, type World } from '../harness/world.ts';
import { emulsion, type Printed } from '../operate/cli.ts';
import {
  expectHealed,
  openWriter,
  type ParkedRow,
  parkedRows,
  patience,
  untilParked,
  type Writer,
} from './stage.ts';

let world: World;
let writer: Writer;
let ann: Person;
let ben: Person;
let post: string;

beforeAll(async () => {
  world = await startWorld();
  writer = await openWriter(world);
  [ann, ben] = [await world.api.register(), await world.api.register()];
  await world.drained();
  await vi.waitFor(
    async () => expectStatus(await world.api.as(ben, 'POST', `/api/users/${ann.username}/follow`), 200),
    patience,
  );
  post = await world.api.publish(ann, [await world.api.upload(ann)]);
  await world.drained();
}, 180_000);
afterAll(async () => {
  await writer?.close();
  await world?.stop();
});

const letters = (...args: string[]): Promise<Printed> => emulsion(world.env, 'dead-letters', ...args);
const letterOf = ({ consumer, topic, partition, offset }: ParkedRow): string =>
  `${consumer.replace(/\.v\d+$/, '')}:${topic}/${partition}/${offset}`;
const profile = (fullName: string) => ({
  fullName,
  bio: 'Later',
  website: null,
  gender: null,
  avatarMediaId: null,
  // While a record of theirs is parked nobody knows of a privacy that could be kept.
  isPrivate: false,
});

/** Throws a model's tables and positions away, as if Postgres had been lost, and lets the log make them again. */
async function makeAgain(model: string): Promise<void> {
  await world.services.projectors.stop();
  const { rows } = await world.owner.query(
    'SELECT schema_name, version FROM engine.version WHERE model = $1',
    [model],
  );
  for (const { schema_name, version } of rows) {
    await world.owner.query(`DROP SCHEMA ${schema_name} CASCADE`);
    for (const table of ['position', 'parked'])
      await world.owner.query(`DELETE FROM engine.${table} WHERE consumer = $1`, [`${model}.v${version}`]);
  }
  for (const table of ['serving', 'version'])
    await world.owner.query(`DELETE FROM engine.${table} WHERE model = $1`, [model]);
  await world.services.projectors.start();
  await vi.waitFor(async () => {
    const { rowCount } = await world.owner.query('SELECT FROM engine.serving WHERE model = $1', [model]);
    expect(rowCount).toBe(1);
  }, patience);
}

describe('edit', () => {
  test('heals a key with new personal fields, which nobody gets to see on the way; a replay gives the same', async () => {
    const broken = event(
      'ProfileEdited',
      {
        userId: ann.id,
        fullName: 'Ann',
        bio: 'a secret bio',
        website: null,
        gender: null,
        avatarMediaId: 'no uuid',
        privateSince: null,
      },
      Date.now(),
    );
    await writer.append(broken);
    await untilParked(world, 'accounts.v1', 1);
    expectStatus(
      await world.api.call('PUT', '/api/users/me', { token: ann.token, body: profile('Ann the later') }),
      200,
    );
    const [first] = await untilParked(world, 'accounts.v1', 2);
    const letter = letterOf(first!);

    const listed = JSON.parse((await letters('list', '--json')).out);
    expect(listed).toMatchObject([
      { letter, consumer: 'accounts.v1', key: ann.id, records: 2, code: 'violates_constraint', attempts: 0 },
    ]);
    expect((await letters('list')).out).toMatch(
      new RegExp(`${letter} +accounts.v1 .* 2 +violates_constraint`),
    );
    const { out } = await letters('show', letter);
    expect(out).not.toContain('secret');
    expect(JSON.parse(out)).toMatchObject({
      letter,
      eventId: broken.meta.id,
      event: {
        type: 'ProfileEdited',
        userId: ann.id,
        avatarMediaId: 'no uuid',
        privateSince: null,
        bio: expect.stringContaining('12 bytes'),
      },
    });

    const refused: [pair: string, why: RegExp][] = [
      [`meta.id=${v7()}`, /meta.id must stay/],
      [`userId=${ben.id}`, /userId must stay/],
      ['nickname=A', /has no nickname/],
      ['meta.time=yesterday', /takes JSON/],
      ['meta.time="yesterday"', /does not fit its schema: meta.time must be .* and is "yesterday"/],
    ];
    for (const [pair, why] of refused) {
      const { status, err } = await letters('edit', letter, '--set', pair);
      expect([status, err]).toEqual([1, expect.stringMatching(why)]);
    }
    const edited = await letters('edit', letter, '--set', 'avatarMediaId=null', 'bio=Words of an operator');
    expect(edited).toMatchObject({ status: 0, out: '1 key came through.\n' });
    const ruled = await readTopic(world.kafka, `${world.prefix}operator-events`);
    expect(ruled.map(({ type }) => type)).toEqual(['DeadLetterEdited']);
    expect(ruled[0]!.value.toString('latin1')).not.toContain('Words');
    expect((await world.api.as(ann, 'GET', '/api/users/me')).body).toMatchObject({
      fullName: 'Ann the later',
    });
    await expectHealed(world);

    const { rows } = await world.owner.query(`SELECT kind, model, arguments, outcome FROM engine.command`);
    expect(rows).toMatchObject([
      { kind: 'edit', model: 'accounts', outcome: 'done', arguments: { letter, eventId: broken.meta.id } },
    ]);
    await makeAgain('accounts');
    await expectHealed(world);
  }, 300_000);

  test('a record that is no event at all can be made one, and goes through the media pipeline', async () => {
    const photo = await samplePhoto();
    const asked = await world.api.as(ann, 'POST', '/api/media/uploads', {
      contentType: 'image/jpeg',
      fileName: 'a.jpg',
      size: photo.length,
    });
    expectStatus(asked, 201);
    const { mediaId, upload } = asked.body;
    await fetch(upload.url, {
      method: upload.method,
      headers: upload.headers,
      body: new Uint8Array(photo),
    });
    const [requested] = (await readTopic(world.kafka, `${world.prefix}media-events`)).slice(-1);
    const { objectKey } = await (async () => {
      await writer.codec.prepare([requested!.value]);
      return writer.codec.decode(requested!.value).fields as { objectKey: string };
    })();

    const id = v7();
    const headers = { ce_id: id, ce_type: 'MediaUploaded', traceparent: '' };
    await writer.appendRaw({ topic: 'media-events', key: ann.id, value: Buffer.from('garbage'), headers });
    const consumers = ['media-pipeline', 'media.v1', 'posts.v1', 'stream.v1'];
    for (const consumer of consumers) await untilParked(world, consumer, 1);
    const [parked] = await parkedRows(world, 'media-pipeline');
    const shown = JSON.parse((await letters('show', letterOf(parked!))).out);
    expect(shown).toMatchObject({ event: null, undecodable: expect.any(String), type: 'MediaUploaded' });

    const whole = event('MediaUploaded', { mediaId, ownerId: ann.id, objectKey }, Date.now(), id);
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'letter-')), 'event.json');
    writeFileSync(file, JSON.stringify(whole));
    for (const consumer of consumers) {
      const [row] = await parkedRows(world, consumer);
      const printed = await letters('edit', letterOf(row!), '--file', file);
      expect(printed).toMatchObject({ status: 0, err: '' });
    }
    await vi.waitFor(async () => {
      const { body } = await world.api.as(ann, 'GET', `/api/media/${mediaId}`);
      expect(body.state).toBe('ready');
    }, patience);
    await expectHealed(world);
  }, 300_000);
});

describe('discard', () => {
  const published = (postId: string): Event =>
    event(
      'PostPublished',
      {
        ...{ postId, authorId: ann.id, caption: 'c', location: null },
        ...{ isReel: false, hideCounts: false, commentsOff: false, mediaIds: [] },
      },
      Date.now(),
    );

  test('concerns one model alone; what waited behind it reaches tables, feeds and streams', async () => {
    await writer.append(published('no uuid'));
    const consumers = ['posts.v1', 'timelines.v1', 'stream.v1'];
    for (const consumer of consumers) await untilParked(world, consumer, 1);
    const later = published(v7());
    await writer.append(later);
    for (const consumer of consumers) await untilParked(world, consumer, 2);

    const [first] = await parkedRows(world, 'posts.v1');
    expect(await letters('discard', letterOf(first!), '--reason', 'no such post')).toMatchObject({
      status: 0,
    });
    expect(await parkedRows(world, 'posts.v1')).toEqual([]);
    expect((await parkedRows(world)).map(({ consumer }) => consumer)).toEqual([
      ...Array(2).fill('stream.v1'),
      ...Array(2).fill('timelines.v1'),
    ]);
    for (const model of ['timelines', 'stream'])
      expect(await letters('discard', letterOf({ ...first!, consumer: model }))).toMatchObject({ status: 0 });

    const postId = 'postId' in later ? later.postId : '';
    const feed = await world.api.as(ben, 'GET', '/api/feed');
    expect(feed.body.items.map((item: { id: string }) => item.id)).toContain(postId);
    const told = await world.owner.query(
      `SELECT payload -> 'data' ->> 'postId' AS id FROM stream.entry WHERE user_id = $1`,
      [ben.id],
    );
    expect(told.rows).toContainEqual({ id: postId });
    await expectHealed(world);
    for (const model of ['posts', 'timelines']) await makeAgain(model);
    await expectHealed(world);
  }, 300_000);
});

describe('retry', () => {
  const constraint = 'CHECK (liker_id IS NULL) NOT VALID';
  const storm = async (): Promise<void> => {
    for (let i = 0; i < 7; i += 1)
      expectStatus(
        await world.api.call(i % 2 ? 'DELETE' : 'POST', `/api/posts/${post}/like`, { token: ben.token }),
        200,
      );
  };

  test('asks before it takes many, keeps what still fails, and heals what was mended', async () => {
    await world.owner.query(`ALTER TABLE likes_v1.post_like ADD CONSTRAINT wrong ${constraint}`);
    await storm();
    await untilParked(world, 'likes.v1', 7);
    const alone = await letters('retry', '--model', 'likes');
    expect([alone.status, alone.err]).toEqual([
      1,
      expect.stringContaining('try again 7 records and nobody is here'),
    ]);
    const vain = await letters('retry', '--model', 'likes', '--yes');
    expect([vain.status, vain.out]).toEqual([1, '1 key still parked.\n']);
    expect((await parkedRows(world)).map(({ attempts, retry }) => [attempts, retry])).toEqual([
      [1, false],
      ...Array(6).fill([0, false]),
    ]);
    await world.owner.query('ALTER TABLE likes_v1.post_like DROP CONSTRAINT wrong');
    const healed = await letters('retry', '--key', ben.id, '--yes', '--json');
    expect([healed.status, JSON.parse(healed.out)]).toEqual([0, { through: 1, parked: 0, waiting: 0 }]);
    expect((await world.api.as(ben, 'GET', `/api/posts/${post}`)).body).toMatchObject({ likeCount: 1 });
    expect((await letters('retry')).out).toBe('Nothing is parked.\n');
    await expectHealed(world);
    const { rows } = await world.owner.query(
      `SELECT model, arguments FROM engine.command WHERE kind = 'retry' ORDER BY asked_at`,
    );
    expect(rows).toMatchObject([
      { model: 'likes', arguments: { keys: 1, records: 7, model: 'likes' } },
      { model: 'likes', arguments: { keys: 1, records: 7, key: ben.id } },
    ]);
  }, 180_000);

  test('what a build of the model has applied can not be ruled away', async () => {
    const built = await emulsion(world.env, 'rebuild', 'likes', '--watch');
    expect(built).toMatchObject({ status: 0 });
    await world.owner.query(`ALTER TABLE likes_v1.post_like ADD CONSTRAINT wrong ${constraint}`);
    await storm();
    const [first] = await untilParked(world, 'likes.v1', 7);
    await world.drained();
    const refused = await letters('discard', letterOf(first!));
    expect([refused.status, refused.err]).toEqual([1, expect.stringContaining('likes.v2 has applied')]);
    await world.owner.query('ALTER TABLE likes_v1.post_like DROP CONSTRAINT wrong');
    expect(await letters('retry', '--yes')).toMatchObject({ status: 0 });
    await expectHealed(world);
  }, 180_000);
});
