import { randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLog, wholeLog } from '../../platform/log/read-log.ts';
import { headerOf, type LogRecord } from '../../platform/log/record.ts';
import { type Answer, expectStatus, type Person } from '../harness/client.ts';
import type { Service } from '../harness/services.ts';
import { expectVerified } from '../harness/verified.ts';
import { startWorld, type World } from '../harness/world.ts';
import { metadataMarks, withGps } from '../media/pictures.ts';
import { connect, type Socket } from '../stream/stage.ts';
import { eventually, type People, peopleOf } from './people.ts';

const patience = 120_000;

let world: World;
let people: People;
let ann: Person;
let ben: Person;
let toAnn: Socket;
let toBen: Socket;
let photo: string;
let post: string;
const traceId = randomBytes(16).toString('hex');
const traceparent = `00-${traceId}-${randomBytes(8).toString('hex')}-01`;

beforeAll(async () => {
  world = await startWorld();
  people = peopleOf(world);
  ann = await world.api.register();
  ben = await world.api.register();
  await world.drained(patience);
  toAnn = connect(world.services.stream, { token: ann.token, query: { cursor: '0' } });
  toBen = connect(world.services.stream2, { token: ben.token, query: { cursor: '0' } });
  await Promise.all([toAnn.hello(), toBen.hello()]);
}, 180_000);
afterAll(async () => {
  toAnn?.close();
  toBen?.close();
  await world?.stop();
});

const frame = (socket: Socket, type: string) => socket.until((message) => message.type === type, patience);
const ids = (page: { items: { id: string }[] }): string[] => page.items.map((item) => item.id);

describe('from a photo posted to a follower', { timeout: patience + 60_000 }, () => {
  it('one follows the other, who hears of it', async () => {
    await people.follow(ben, ann);
    expect((await frame(toAnn, 'user.followed')).data).toEqual({ followerId: ben.id });
    const seen = await people.read(ben, `/api/users/${ann.username}`);
    expect(seen).toMatchObject({ followersCount: 1, followingCount: 0, followedByViewer: true });
    expect(await people.read(ben, '/api/users/me')).toMatchObject({ followersCount: 0, followingCount: 1 });
    expect(ids(await people.read(ben, `/api/users/${ann.username}/followers`))).toEqual([ben.id]);
    expect(ids(await people.read(ben, `/api/users/${ben.username}/following`))).toEqual([ann.id]);
  });

  it('a post shows to its author alone until its photo is ready', async () => {
    const bytes = await withGps();
    expect(marksIn(bytes)).toContain('GPS');
    world.services['media-pipeline'].signal('SIGSTOP');
    photo = await world.api.upload(ann, bytes);
    const body = { caption: 'Where is this?', media: [photo] };
    const published = await world.api.as(ann, 'POST', '/api/posts', body, { traceparent });
    expectStatus(published, 201);
    expect(published.headers.get('x-request-id')).toBe(traceId);
    post = published.body.id;
    expect(await people.read(ann, `/api/posts/${post}`)).toMatchObject({ state: 'processing' });
    ben.position = ann.position;
    expect(await people.status(ben, `/api/posts/${post}`)).toBe(404);
    expect(await people.feed(ben)).toEqual([]);
    expect(await people.feed(ann)).toEqual([post]);
    expect(await people.read(ben, `/api/users/${ann.username}`)).toMatchObject({ postsCount: 0 });
    world.services['media-pipeline'].signal('SIGCONT');
  });

  it('then the follower hears of it and has it in the feed', async () => {
    expect((await frame(toAnn, 'media.ready')).data).toEqual({ mediaId: photo });
    expect((await frame(toBen, 'post.published')).data).toEqual({ postId: post, authorId: ann.id });
    await eventually(async () => (await people.feed(ben)).includes(post));
    const [shown] = (await people.read(ben, '/api/feed')).items;
    expect(shown).toMatchObject({ id: post, state: 'ready', likeCount: 0, likedByViewer: false });
    expect(shown).toMatchObject({ caption: 'Where is this?', author: { id: ann.id } });
    expect(await people.read(null, `/api/users/${ann.username}`)).toMatchObject({ postsCount: 1 });
  });

  it('with the position of a write, the very next read has it', async () => {
    for (let round = 0; round < 5; round += 1) {
      const next = await world.api.publish(ann, [photo], `Number ${round}`);
      ben.position = ann.position;
      expect((await people.feed(ben))[0]).toBe(next);
      await people.remove(ann, next);
      ben.position = ann.position;
      expect(await people.feed(ben)).toEqual([post]);
    }
  });

  it('has one trace id from the request to the frame', async () => {
    const line = (service: Service, fits: (line: Record<string, unknown>) => boolean) =>
      eventually(() => service.logLines().find(fits));
    const { services } = world;
    const ofTrace = (entry: Record<string, unknown>): boolean =>
      Array.isArray(entry.traceIds) && entry.traceIds.includes(traceId);
    const request = await line(services['command-api'], (entry) => entry.traceId === traceId);
    expect(request).toMatchObject({ route: '/api/posts', method: 'POST', status: 201, userId: ann.id });
    const record = await recordOf(traceId);
    expect(record?.topic).toBe('post-events');
    expect(headerOf(record!, 'ce_type')).toBe('PostPublished');
    for (const consumer of ['posts.v1', 'timelines.v1'])
      await line(services.projectors, (entry) => entry.consumer === consumer && ofTrace(entry));
    await line(services.reactors, (entry) => entry.consumer === 'stream.v1' && ofTrace(entry));
    expect((await frame(toBen, 'post.published')).traceId).toBe(traceId);
    const sent = await line(services.stream2, (entry) => entry.traceId === traceId);
    expect(sent).toMatchObject({ msg: 'frame sent', type: 'post.published', userId: ben.id });
  });

  it('what is served of the photo does not say where it was taken, and the original is nobody else’s', async () => {
    const { variants } = await people.read(ann, `/api/media/${photo}`);
    expect(variants.map((v: { name: string; format: string }) => `${v.name} ${v.format}`).sort()).toEqual(
      ['large', 'medium', 'small', 'thumbnail'].flatMap((name) => [`${name} jpeg`, `${name} webp`]),
    );
    for (const variant of variants) {
      const answer = await stored(new URL(variant.url).pathname.slice(1));
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, `image/${variant.format}`]);
      const bytes = Buffer.from(await answer.arrayBuffer());
      const { exif, xmp, iptc, width, height } = await sharp(bytes).metadata();
      expect({ exif, xmp, iptc, width, height }).toEqual({ width: variant.width, height: variant.height });
      expect(marksIn(bytes)).toEqual([]);
    }
    expect((await stored(`o/${ann.id}/${photo}`)).status).toBe(403);
  });

  it('a like is told, counted once, shown, and taken back', async () => {
    await people.like(ben, post);
    expect((await frame(toAnn, 'post.liked')).data).toEqual({ postId: post, likerId: ben.id });
    await people.like(ben, post);
    const [liked] = (await people.read(ben, '/api/feed')).items;
    expect(liked).toMatchObject({ likeCount: 1, likedByViewer: true });
    ann.position = ben.position;
    expect(await people.read(ann, `/api/posts/${post}`)).toMatchObject({
      likeCount: 1,
      likedByViewer: false,
    });
    expect(ids(await people.read(ben, `/api/posts/${post}/likes`))).toEqual([ben.id]);
    await people.unlike(ben, post);
    await people.unlike(ben, post);
    const unliked = await people.read(ben, `/api/posts/${post}`);
    expect(unliked).toMatchObject({ likeCount: 0, likedByViewer: false });
    expect(ids(await people.read(ben, `/api/posts/${post}/likes`))).toEqual([]);
  });

  it('whoever has an answer already is told so, until it changes', async () => {
    const path = `/api/posts/${post}`;
    const first = await world.api.as(ben, 'GET', path);
    const known = { 'if-none-match': first.headers.get('etag')! };
    const again = await world.api.as(ben, 'GET', path, undefined, known);
    expect([again.status, again.body]).toEqual([304, '']);
    for (const answer of [first, again]) expect(asOf(answer)).toBeLessThanOrEqual(Date.now() + 1_000);
    await people.like(ben, post);
    const changed = await world.api.as(ben, 'GET', path, undefined, known);
    expect([changed.status, changed.body.likeCount]).toEqual([200, 1]);
    expect(asOf(changed)).toBeGreaterThanOrEqual(asOf(first));
  });

  it('deleted, it is gone from everywhere', async () => {
    const lists = [`/api/users/${ann.username}/posts`, `/api/posts/user/${ann.id}`];
    for (const list of lists) expect(ids(await people.read(ben, list))).toEqual([post]);
    await people.remove(ann, post);
    await people.remove(ann, post);
    ben.position = ann.position;
    for (const who of [ann, ben, null]) {
      expect(await people.status(who, `/api/posts/${post}`)).toBe(404);
      expect(await people.status(who, `/api/posts/${post}/likes`)).toBe(404);
      for (const list of lists) await eventually(async () => ids(await people.read(who, list)).length === 0);
    }
    expect([await people.feed(ann), await people.feed(ben)]).toEqual([[], []]);
    expect(await people.read(ben, `/api/users/${ann.username}`)).toMatchObject({ postsCount: 0 });
    expectStatus(await world.api.as(ben, 'POST', `/api/posts/${post}/like`), 404);
    const again = connect(world.services.stream, { token: ben.token, query: { cursor: '0' } });
    const { head } = await again.hello();
    await again.until((message) => message.type === 'cursor' && message.seq === head, patience);
    expect(JSON.stringify(again.got)).not.toContain(post);
    again.close();
  });

  it('one who leaves is counted no more', async () => {
    await people.unfollow(ben, ann);
    await people.unfollow(ben, ann);
    const seen = await people.read(ben, `/api/users/${ann.username}`);
    expect(seen).toMatchObject({ followersCount: 0, followedByViewer: false });
    expect(ids(await people.read(ben, `/api/users/${ann.username}/followers`))).toEqual([]);
  });
});

function marksIn(bytes: Buffer): string[] {
  return metadataMarks.filter((mark) => bytes.includes(mark));
}

function asOf(answer: Answer): number {
  const text = answer.headers.get('x-as-of');
  expect(text).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  return Date.parse(text!);
}

/** An object as a stranger gets it from the object store. */
function stored(key: string): Promise<Response> {
  return fetch(`${world.env.S3_ENDPOINT}/${world.env.S3_BUCKET}/${key}`);
}

/** The record in the log whose traceparent header has this trace id. */
async function recordOf(trace: string): Promise<LogRecord | undefined> {
  const found: LogRecord[] = [];
  await readLog({
    kafka: world.kafka,
    prefix: world.prefix,
    stretches: await wholeLog(world.kafka, world.prefix, ['post-events']),
    handle: async (records) => {
      found.push(...records.filter((record) => headerOf(record, 'traceparent')?.split('-')[1] === trace));
    },
  });
  expect(found).toHaveLength(1);
  return found[0];
}

it('verify finds no difference', () => expectVerified(world), patience + 60_000);
