import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { stackEnvironment } from '../../deploy/native/environment.ts';
import { readConfig } from '../../platform/process/config.ts';
import { openStorage } from '../../platform/storage/s3.ts';

const config = readConfig(stackEnvironment()).s3!;
const storage = openStorage(config);
const folder = `o/test/${randomUUID()}`;
const key = (name: string): string => `${folder}/${name}`;

afterAll(async () => {
  await storage.remove([key('a'), key('b')]);
  storage.close();
});

describe('the object store', () => {
  it('gives back what was put, never more than asked for', async () => {
    await storage.put(key('a'), Buffer.from('hello'), { contentType: 'text/plain', cacheControl: 'private' });
    expect(await storage.head(key('a'))).toEqual({ size: 5, contentType: 'text/plain' });
    expect(await storage.get(key('a'), { maxBytes: 5 })).toEqual({
      found: 'whole',
      body: Buffer.from('hello'),
    });
    expect(await storage.get(key('a'), { maxBytes: 4 })).toEqual({ found: 'too_large', size: 5 });
  });

  it('says that there is nothing, and removes it without complaint', async () => {
    expect(await storage.head(key('none'))).toBeNull();
    expect(await storage.exists(key('none'))).toBe(false);
    expect(await storage.get(key('none'), { maxBytes: 1 })).toEqual({ found: 'nothing' });
    await storage.remove([key('none')]);
  });

  it('takes an upload by its terms only', async () => {
    const url = await storage.presignPut(key('b'), {
      contentType: 'image/jpeg',
      size: 4,
      expiresSeconds: 60,
    });
    const upload = async (body: string, type: string): Promise<number> =>
      (await fetch(url, { method: 'PUT', body, headers: { 'content-type': type } })).status;
    expect(await upload('12345', 'image/jpeg')).toBe(403);
    expect(await upload('1234', 'text/html')).toBe(403);
    expect(await storage.exists(key('b'))).toBe(false);
    expect(await upload('1234', 'image/jpeg')).toBe(200);
    expect(await storage.head(key('b'))).toEqual({ size: 4, contentType: 'image/jpeg' });
  });

  it('signs for the address that clients see', async () => {
    const seen = openStorage({ ...config, publicEndpoint: 'https://media.example' });
    const url = await seen.presignPut(key('b'), { contentType: 'image/png', size: 1, expiresSeconds: 900 });
    expect(url.startsWith(`https://media.example/${config.bucket}/${key('b')}?`)).toBe(true);
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('900');
    seen.close();
  });

  it('that is away, or has no such bucket, is an outage and no answer', async () => {
    for (const wrong of [{ endpoint: 'http://127.0.0.1:1' }, { bucket: 'no-such-bucket' }]) {
      const broken = openStorage({ ...config, ...wrong });
      await expect(broken.get(key('a'), { maxBytes: 9 })).rejects.toMatchObject({
        code: 'dependency_unavailable',
        status: 503,
      });
      broken.close();
    }
  });
});
