import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metadataMarks, noise, withGps } from './pictures.ts';
import type { Pipeline } from './process.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
let pipeline: Pipeline;

beforeAll(async () => {
  stage = await openStage();
}, 60_000);

afterAll(() => stage?.close(), 30_000);

describe('the pipeline', () => {
  it('decides every upload once, those from before its first start too', async () => {
    const photo = await stage.upload(await withGps());
    const text = await stage.upload(Buffer.from('this is no picture'));
    const nothing = await stage.upload(null);
    pipeline = stage.start();
    const later = await stage.upload(await noise(1200, 900).webp().toBuffer());

    const outcomes = await stage.decided([photo, text, nothing, later]);
    expect(outcomes.map((event) => (event.type === 'MediaReady' ? 'ready' : event.code))).toEqual([
      'ready',
      'media_not_an_image',
      'media_missing',
      'ready',
    ]);
    expect(stage.outcomes()).toHaveLength(4);
  }, 120_000);

  it('stores what the event says, without metadata', async () => {
    for (const outcome of stage.outcomes()) {
      if (outcome.type !== 'MediaReady') continue;
      expect(outcome.variants).toHaveLength(8);
      for (const variant of outcome.variants) {
        expect(variant.objectKey).toMatch(/^m\/[0-9a-f]{32}\/[a-z]+\.(jpg|webp)$/);
        const stored = await stage.storage.get(variant.objectKey, { maxBytes: 10_000_000 });
        if (stored.found !== 'whole') throw new Error(`${variant.objectKey}: ${stored.found}`);
        expect(stored.body.length).toBe(variant.bytes);
        for (const mark of metadataMarks.filter((text) => text.length > 4)) {
          expect(stored.body.includes(mark)).toBe(false);
        }
      }
    }
  });

  it('keeps the original of a picture and nothing of what it rejected', async () => {
    const photo = await stage.upload(await noise(50, 50).jpeg().toBuffer());
    const broken = await stage.upload((await noise(300, 300).png().toBuffer()).subarray(0, 20_000));
    await stage.decided([photo, broken]);
    expect(await stage.storage.exists(photo.objectKey)).toBe(true);
    await expect.poll(() => stage.storage.exists(broken.objectKey), { timeout: 10_000 }).toBe(false);
  }, 60_000);

  it('parks what is no event at all and goes on behind it', async () => {
    const headers = { ce_id: 'no id', ce_type: 'MediaUploaded', traceparent: '' };
    await stage.append(Buffer.from('garbage'), headers);
    const photos = [];
    for (let n = 0; n < 4; n += 1) photos.push(await stage.upload(await noise(40, 40).png().toBuffer()));
    await stage.decided(photos);
    await expect
      .poll(() => stage.parked(), { timeout: 10_000 })
      .toEqual([{ code: 'undecodable', key: 'garbage' }]);
  }, 60_000);

  it('takes what has no headers for what it is', async () => {
    const parked = await stage.parked();
    const photo = await stage.put(await noise(40, 40).png().toBuffer());
    for (const what of [photo, stage.outcomes()[0]!, Buffer.from('garbage')]) await stage.append(what, {});
    expect((await stage.decided([photo]))[0]).toMatchObject({ type: 'MediaReady' });
    await expect
      .poll(() => stage.parked(), { timeout: 10_000 })
      .toEqual([...parked, { code: 'undecodable', key: 'garbage' }]);
    const later = await stage.upload(await noise(40, 40).png().toBuffer());
    await stage.decided([later]);
  }, 60_000);

  it('answers for its health and counts what it did', async () => {
    expect((await pipeline.ask('/healthz')).status).toBe(200);
    await expect.poll(async () => (await pipeline.ask('/readyz')).text()).toContain('"status":"ready"');
    const metrics = await (await pipeline.ask('/metrics')).text();
    expect(metrics).toMatch(/media_outcomes_total\{code="media_not_an_image".*\} 1/);
    expect(metrics).toMatch(/worker_latency_seconds_count\{.*worker="media"\} \d+/);
  });

  it('stops at an event of a name that it does not know, and says so', async () => {
    const photo = await stage.put(await noise(40, 40).png().toBuffer());
    await stage.append(photo, { ce_type: 'MediaFramed' });
    await expect
      .poll(async () => (await pipeline.ask('/readyz')).text(), { timeout: 30_000 })
      .toContain('MediaFramed');
    expect(stage.outcomes().filter(({ mediaId }) => mediaId === photo.mediaId)).toEqual([]);
  }, 60_000);
});
