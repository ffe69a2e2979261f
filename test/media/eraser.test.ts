import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  PutObjectLegalHoldCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { originalsOf } from '../../media-pipeline/plan/keys.ts';
import { readConfig } from '../../platform/process/config.ts';
import { openStorage, type Storage } from '../../platform/storage/s3.ts';
import { eventually } from '../features/people.ts';
import { type Door, openDoor } from '../harness/door.ts';
import { startWorld, type World } from '../harness/world.ts';

/** More than one look goes past. */
const many = 25;

let door: Door;
let world: World;
let client: S3Client;
let storage: Storage;
/** A bucket whose objects can be held. */
const Bucket = `t${randomUUID()}`;
const put: string[] = [];

beforeAll(async () => {
  const endpoint = process.env.S3_ENDPOINT!;
  door = await openDoor(new URL(endpoint).host);
  client = new S3Client({
    endpoint,
    region: process.env.S3_REGION!,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    credentials: {
      accessKeyId: process.env.S3_ACCESS_KEY_ID!,
      secretAccessKey: process.env.S3_SECRET_ACCESS_KEY!,
    },
  });
  await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  const env = { S3_BUCKET: Bucket, S3_ENDPOINT: `http://${door.address}` };
  world = await startWorld({ services: ['media-pipeline'], env });
  storage = openStorage({ ...readConfig(world.env).s3!, endpoint });
}, 60_000);
afterAll(async () => {
  await world?.stop();
  await storage?.remove(put);
  await client?.send(new DeleteBucketCommand({ Bucket }));
  storage?.close();
  client?.destroy();
  await door?.close();
}, 60_000);

/** Somebody who has uploaded something. */
async function uploader(): Promise<{ id: string; photo: string }> {
  const id = randomUUID();
  const photo = `${originalsOf(id)}${randomUUID()}`;
  await storage.put(photo, Buffer.from('photo'), { contentType: 'image/jpeg', cacheControl: 'private' });
  put.push(photo);
  return { id, photo };
}

async function uploaders(count: number): Promise<{ id: string; photo: string }[]> {
  return Promise.all(Array.from({ length: count }, uploader));
}

const hold = (photo: string, Status: 'ON' | 'OFF') =>
  client.send(new PutObjectLegalHoldCommand({ Bucket, Key: photo, LegalHold: { Status } }));

const erase = (ids: readonly string[]) =>
  world.owner.query(
    `INSERT INTO vault.erasure (user_id, event_id) SELECT u, gen_random_uuid() FROM unnest($1::uuid[]) AS u`,
    [ids],
  );

const isGone = async ({ photo }: { photo: string }): Promise<boolean> => !(await storage.exists(photo));

/** Who the pipeline has said it could not erase the objects of, each as often as it was said. */
function refusedSoFar(): unknown[] {
  const lines = world.services['media-pipeline'].logLines();
  return lines
    .filter(({ msg }) => msg === 'objects of an erased account may not be removed')
    .map(({ userId }) => userId);
}

it('what may not be removed of some keeps nothing of others, and goes when it may', async () => {
  const held = await uploaders(many);
  for (const { photo } of held) await hold(photo, 'ON');
  await erase(held.map(({ id }) => id));
  await eventually(() => new Set(refusedSoFar()).size === many);
  const later = await uploader();
  await erase([later.id]);
  await eventually(() => isGone(later));
  for (const { photo } of held) expect(await storage.exists(photo)).toBe(true);
  for (const { photo } of held) await hold(photo, 'OFF');
  for (const one of held) await eventually(() => isGone(one));
}, 60_000);

it('a store that is away is asked once a look, whoever waits, and is no refusal', async () => {
  const before = refusedSoFar().length;
  await door.shut();
  const waiting = await uploaders(many);
  await erase(waiting.map(({ id }) => id));
  const outages = (): number =>
    world.services['media-pipeline']
      .logLines()
      .filter(({ msg }) => msg === 'objects of an erased account are still there').length;
  const [from, earlier] = [Date.now(), outages()];
  await eventually(() => outages() >= earlier + 3);
  expect(outages() - earlier).toBeLessThanOrEqual(2 + (Date.now() - from) / 1_000);
  await door.open();
  for (const one of waiting) await eventually(() => isGone(one));
  expect(refusedSoFar()).toHaveLength(before);
}, 60_000);
