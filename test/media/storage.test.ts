import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, describe, expect, it } from 'vitest';
import { stackEnvironment } from '../../deploy/native/environment.ts';
import { readConfig } from '../../platform/process/config.ts';
import { openStorage } from '../../platform/storage/s3.ts';
import { openDoor } from '../harness/door.ts';

const config = readConfig(stackEnvironment()).s3!;
const storage = openStorage(config);
const folder = `o/test/${randomUUID()}`;
const key = (name: string): string => `${folder}/${name}`;

afterAll(async () => {
  await storage.remove([key('a'), key('b'), key('c')]);
  storage.close();
});

/** Sends half of the body, then does what is to happen meanwhile, then sends the rest. */
function putSlowly(
  url: string,
  headers: Record<string, string>,
  body: string,
  meanwhile: () => Promise<unknown> = async () => {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const sending = request(url, { method: 'PUT', headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode!);
    });
    sending.once('error', reject);
    sending.write(body.slice(0, 2), () => void meanwhile().then(() => sending.end(body.slice(2)), reject));
  });
}

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
    const terms = { contentType: 'image/jpeg', size: 4, expiresSeconds: 60 };
    const { url, headers } = await storage.presignPut(key('b'), terms);
    const upload = async (body: string, changes: Record<string, string> = {}): Promise<number> =>
      (await fetch(url, { method: 'PUT', body, headers: { ...headers, ...changes } })).status;
    expect(await upload('12345')).toBe(403);
    expect(await upload('1234', { 'Content-Type': 'text/html' })).toBe(403);
    expect(await upload('1234', { 'If-None-Match': '"other"' })).toBe(403);
    const { 'If-None-Match': _, ...replacing } = headers;
    expect((await fetch(url, { method: 'PUT', body: '1234', headers: replacing })).status).toBe(403);
    expect(await storage.exists(key('b'))).toBe(false);
    expect(await upload('1234')).toBe(200);
    expect(await storage.head(key('b'))).toEqual({ size: 4, contentType: 'image/jpeg' });
  });

  it('replaces nothing, neither by the same address nor by another, nor by an upload begun before', async () => {
    const terms = { contentType: 'image/jpeg', size: 4, expiresSeconds: 60 };
    const put = async (body: string, begun?: () => Promise<unknown>): Promise<number> => {
      const { url, headers } = await storage.presignPut(key('c'), terms);
      return putSlowly(url, { ...headers, 'Content-Length': '4' }, body, begun);
    };
    let first = 0;
    const slow = await put('late', async () => {
      first = await put('good');
    });
    expect([first, slow, await put('more')]).toEqual([200, 412, 412]);
    expect(await storage.get(key('c'), { maxBytes: 9 })).toEqual({
      found: 'whole',
      body: Buffer.from('good'),
    });
  });

  it('signs for the address that clients see', async () => {
    const seen = openStorage({ ...config, publicEndpoint: 'https://media.example' });
    const terms = { contentType: 'image/png', size: 1, expiresSeconds: 900 };
    const { url } = await seen.presignPut(key('b'), terms);
    expect(url.startsWith(`https://media.example/${config.bucket}/${key('b')}?`)).toBe(true);
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('900');
    seen.close();
  });

  it('that says nothing is given up by whoever asks while somebody waits', async () => {
    const door = await openDoor(new URL(config.endpoint).host);
    const silent = openStorage({ ...config, endpoint: `http://${door.address}` });
    door.silence();
    await expect(silent.head(key('a'))).rejects.toMatchObject({ code: 'dependency_unavailable' });
    silent.close();
    await door.close();
  }, 15_000);

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
