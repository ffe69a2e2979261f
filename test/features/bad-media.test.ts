import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokenPurpose } from '../../media-pipeline/plan/keys.ts';
import { readConfig } from '../../platform/process/config.ts';
import { openStorage, type Storage } from '../../platform/storage/s3.ts';
import { openMasterKey } from '../../platform/vault/master-key.ts';
import { expectStatus, type Person, samplePhoto } from '../harness/client.ts';
import { startWorld, type World } from '../harness/world.ts';
import { canvas, noise, onePlainPng } from '../media/pictures.ts';
import { eventually, type People, peopleOf } from './people.ts';

let world: World;
let people: People;
let ann: Person;
let storage: Storage;

beforeAll(async () => {
  world = await startWorld({ services: ['command-api', 'query-api', 'projectors', 'media-pipeline'] });
  people = peopleOf(world);
  ann = await world.api.register();
  storage = openStorage(readConfig(world.env).s3!);
}, 180_000);
afterAll(async () => {
  storage?.close();
  await world?.stop();
});

interface Upload {
  mediaId: string;
  upload: { url: string; headers: Record<string, string> };
}

const originalOf = (mediaId: string): string => `o/${ann.id}/${mediaId}`;

async function ask(size: number, key = randomUUID()): Promise<Upload> {
  const body = { contentType: 'image/jpeg', fileName: 'photo.jpg', size };
  const asked = await world.api.as(ann, 'POST', '/api/media/uploads', body, { 'idempotency-key': key });
  expectStatus(asked, 201);
  return asked.body;
}

async function put({ upload }: Upload, bytes: Buffer): Promise<number> {
  const { url, headers } = upload;
  return (await fetch(url, { method: 'PUT', headers, body: new Uint8Array(bytes) })).status;
}

const complete = ({ mediaId }: Upload) => world.api.as(ann, 'POST', `/api/media/uploads/${mediaId}/complete`);

/** The media when the pipeline has decided. */
// biome-ignore lint/suspicious/noExplicitAny: an answer
const decided = (mediaId: string): Promise<any> =>
  eventually(async () => {
    const media = await people.read(ann, `/api/media/${mediaId}`);
    return ['ready', 'rejected'].includes(media.state) && media;
  });

/** Whatever the pipeline may have made of a media has a name that follows from its id. */
async function storedOf(mediaId: string): Promise<string[]> {
  const token = openMasterKey(world.env.EMULSION_MASTER_KEY_FILE!)
    .hmac(tokenPurpose, mediaId)
    .toString('hex')
    .slice(0, 32);
  const names = ['thumbnail', 'small', 'medium', 'large'].flatMap((name) => [`${name}.jpg`, `${name}.webp`]);
  const keys = [originalOf(mediaId), ...names.map((name) => `m/${token}/${name}`)];
  const there = await Promise.all(keys.map((key) => storage.exists(key)));
  return keys.filter((_, index) => there[index]);
}

const behind = async (picture: Promise<Buffer>, text: string): Promise<Buffer> =>
  Buffer.concat([await picture, Buffer.from(text, 'latin1')]);
const jpeg = () => noise(300, 200).jpeg().toBuffer();
const cut = async (picture: Promise<Buffer>) => (await picture).subarray(0, (await picture).length / 2);

const refused: [what: string, code: string, bytes: () => Buffer | Promise<Buffer>][] = [
  ['a text file', 'media_not_an_image', () => Buffer.from('This is no photograph.')],
  ['the first bytes of a picture', 'media_not_an_image', () => Buffer.from('\xff\xd8', 'latin1')],
  ['a truncated JPEG', 'media_broken', () => cut(jpeg())],
  ['a truncated PNG', 'media_broken', () => cut(noise(300, 200).png().toBuffer())],
  ['20,000 × 20,000 pixels of one colour', 'media_too_many_pixels', () => onePlainPng(20_000)],
  ['a JPEG that is a page, too', 'media_polyglot', () => behind(jpeg(), '<html><script>1</script>')],
  ['a PNG that is an archive, too', 'media_polyglot', () => behind(canvas(9, 9).png().toBuffer(), zipEnd)],
  ['a GIF that is a program, too', 'media_polyglot', () => behind(canvas(9, 9).gif().toBuffer(), '<?php 1;')],
  ['a TIFF', 'media_type_unsupported', () => canvas(20, 20).tiff().toBuffer()],
  ['an SVG', 'media_not_an_image', () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')],
];
const zipEnd = `PK\x05\x06${'\0'.repeat(18)}`;

describe('what calls itself a photograph', { timeout: 120_000 }, () => {
  it.each(refused)('and is %s is refused as %s, and nothing of it is kept', async (_what, code, make) => {
    const bytes = await make();
    expect(bytes.length).toBeLessThan(1_000_000);
    const mediaId = await world.api.upload(ann, bytes);
    expect(await decided(mediaId)).toMatchObject({ state: 'rejected', reason: code, variants: [] });
    await eventually(async () => (await storedOf(mediaId)).length === 0);
    const post = await world.api.as(ann, 'POST', '/api/posts', { media: [mediaId] });
    expect(post.body).toMatchObject({ status: 409, code: 'media_rejected' });
    const again = await world.api.as(ann, 'POST', `/api/media/uploads/${mediaId}/complete`);
    expect(again.body).toEqual({ mediaId, state: 'rejected' });
  });

  it('is stored as it is when it is one', async () => {
    const mediaId = await world.api.upload(ann, await jpeg());
    expect(await decided(mediaId)).toMatchObject({ state: 'ready', reason: null });
    expect(await storedOf(mediaId)).toHaveLength(9);
  });
});

describe('an address to upload to', { timeout: 120_000 }, () => {
  it('replaces nothing, before it is complete or after, though it is asked for again', async () => {
    const [photo, other] = [await samplePhoto(), await samplePhoto()];
    const size = Math.max(photo.length, other.length);
    // Behind its end a JPEG may have anything; so both have one size.
    const [first, second] = [photo, other].map((bytes) =>
      Buffer.concat([bytes, Buffer.alloc(size - bytes.length)]),
    );
    const key = randomUUID();
    const asked = await ask(size, key);
    expect(await put(asked, first!)).toBe(200);
    expect(await put(asked, second!)).toBe(412);
    expectStatus(await complete(asked), 202);
    expect(await put(asked, second!)).toBe(412);
    const anew = await ask(size, key);
    expect(anew.mediaId).toBe(asked.mediaId);
    expect(await put(anew, second!)).toBe(412);
    expect(await decided(asked.mediaId)).toMatchObject({ state: 'ready' });
    expect(await put(anew, second!)).toBe(412);
    const stored = await storage.get(originalOf(asked.mediaId), { maxBytes: size });
    expect(stored).toEqual({ found: 'whole', body: first });
  });

  it('takes the type and the size that were said, and nothing else', async () => {
    const photo = await samplePhoto();
    const asked = await ask(photo.length);
    expect(await put(asked, Buffer.concat([photo, photo]))).toBe(403);
    const html = { ...asked.upload.headers, 'Content-Type': 'text/html' };
    expect(await put({ ...asked, upload: { ...asked.upload, headers: html } }, photo)).toBe(403);
    expect((await complete(asked)).body).toMatchObject({ status: 409, code: 'media_not_uploaded' });
    expect(await put(asked, photo)).toBe(200);
    expectStatus(await complete(asked), 202);
  });
});
