import { describe, expect, it } from 'vitest';
import { unchanged } from '../../command-api/append/decision.ts';
import {
  type CompleteState,
  decideComplete,
  decideRequestUpload,
  type MediaStage,
} from '../../command-api/media/media.decide.ts';
import { maxImageBytes } from '../../schemas/media/image.ts';
import { ana, ben, byAna, meta, newId } from './given.ts';

describe('asking for an upload', () => {
  const command = { contentType: 'image/jpeg', fileName: 'beach.jpg', size: 1_000 };
  it('gives the original a place of its owner', () => {
    expect(decideRequestUpload(command, byAna())).toEqual({
      type: 'MediaUploadRequested',
      meta,
      mediaId: newId,
      ownerId: ana,
      ...command,
      objectKey: `o/${ana}/${newId}`,
    });
  });
  it('takes up to 50 MB and no more', () => {
    expect(decideRequestUpload({ ...command, size: maxImageBytes }, byAna())).toMatchObject({
      size: maxImageBytes,
    });
    expect(decideRequestUpload({ ...command, size: maxImageBytes + 1 }, byAna())).toMatchObject({
      refused: 'media_too_large',
    });
  });
  it('takes only images', () => {
    expect(decideRequestUpload({ ...command, contentType: 'text/html' }, byAna())).toMatchObject({
      refused: 'media_type_unsupported',
    });
  });
});

describe('completing an upload', () => {
  const given = (state: MediaStage, object: CompleteState['object'], ownerId = ana): CompleteState => ({
    media: { mediaId: 'm1', ownerId, state, reason: null },
    object,
  });
  it('is a fact once the object is there', () => {
    expect(decideComplete(given('requested', { size: 1_000 }), byAna())).toEqual({
      type: 'MediaUploaded',
      meta,
      mediaId: 'm1',
      ownerId: ana,
      objectKey: `o/${ana}/m1`,
    });
  });
  it('is refused without an object, or with one over the limit', () => {
    expect(decideComplete(given('requested', null), byAna())).toMatchObject({
      refused: 'media_not_uploaded',
    });
    expect(decideComplete(given('requested', { size: maxImageBytes + 1 }), byAna())).toMatchObject({
      refused: 'media_too_large',
    });
  });
  it.each(['uploaded', 'ready', 'rejected'] as const)(
    'of a media that is %s does not start the pipeline again',
    (state) => {
      expect(decideComplete(given(state, null), byAna())).toBe(unchanged);
    },
  );
  it("of another's media tells nothing of it", () => {
    expect(decideComplete(given('requested', { size: 1 }, ben), byAna())).toMatchObject({
      refused: 'media_not_found',
    });
  });
});
