import { expect, it } from 'vitest';
import { media } from '../../projectors/media/media.model.ts';
import { ana, ben, erased, event, noon, nth } from '../harness/events.ts';
import { openProjected } from '../harness/projection.ts';

const projected = openProjected();

const ids = { mediaId: nth(11), ownerId: ana };
const small = { name: 'small', format: 'webp', width: 4, height: 3, bytes: 10, objectKey: 'm/x' };
const requested = (at: number) =>
  event(
    'MediaUploadRequested',
    { ...ids, contentType: 'image/png', fileName: 'me.png', size: 10, objectKey: 'o/x' },
    noon + at,
  );
const uploaded = (at: number) => event('MediaUploaded', { ...ids, objectKey: 'o/x' }, noon + at);
const ready = (at: number, id?: string) =>
  event(
    'MediaReady',
    {
      ...{ ...ids, kind: 'image', width: 4, height: 3, placeholder: 'p', dominantColor: '#fff' },
      variants: [small],
    },
    noon + at,
    id,
  );
const rejected = (at: number, id?: string) =>
  event('MediaRejected', { ...ids, code: 'media_not_an_image' }, noon + at, id);

const row = { media_id: nth(11), owner_id: ana, live: true };
const unknown = { reason: null, kind: null, width: null, placeholder: null, variants: null };

it('an upload is asked for, then there, then ready with all its sizes', async () => {
  const steps = [requested(1), uploaded(2), ready(3)];
  const says = [
    { ...row, state: 'requested', ...unknown },
    { ...row, state: 'uploaded', ...unknown },
    {
      ...{ ...row, state: 'ready', reason: null, kind: 'image', width: 4, height: 3 },
      ...{ placeholder: 'p', dominant_color: '#fff', variants: [small] },
    },
  ];
  for (const [index, said] of says.entries())
    expect(await projected(media, steps.slice(0, index + 1))).toMatchObject({ media: [said] });
});

it('or rejected with the reason, and nothing is left of what it was called before', async () => {
  expect(await projected(media, [uploaded(1), ready(2), rejected(3)])).toMatchObject({
    media: [{ ...row, state: 'rejected', ...unknown, reason: 'media_not_an_image' }],
  });
});

it.each([
  ['ready', nth(9)],
  ['rejected', nth(7)],
])('of two outcomes of one moment it is %s, whose id is larger', async (state, id) => {
  expect(await projected(media, [ready(1, id), rejected(1, nth(8))])).toMatchObject({ media: [{ state }] });
});

it('an older step that comes late says nothing any more', async () => {
  expect(await projected(media, [ready(3), uploaded(2), requested(1)])).toMatchObject({
    media: [{ state: 'ready', event_time: '2026-01-15T12:00:00.003+00:00' }],
  });
});

it('each upload is a row of its own', async () => {
  const other = event('MediaUploaded', { mediaId: nth(12), ownerId: ben, objectKey: 'o/y' }, noon);
  expect(await projected(media, [requested(1), other])).toMatchObject({
    media: [row, { media_id: nth(12), owner_id: ben, state: 'uploaded' }],
  });
});

it('where an owner was erased the row still says where the upload stands: it holds nothing personal', async () => {
  expect(await projected(media, [erased(requested(1))])).toMatchObject({
    media: [{ ...row, state: 'requested' }],
  });
});

it('of somebody who was erased nothing can be looked at any more', async () => {
  const erasure = event('UserErased', { userId: ana }, noon + 2);
  expect(await projected(media, [requested(1), ready(3), erasure])).toMatchObject({
    media: [{ media_id: nth(11), owner_id: ana, live: false, ...unknown }],
  });
});
