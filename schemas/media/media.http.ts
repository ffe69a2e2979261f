import { z } from 'zod';
import { route } from '../route.ts';
import { Media, MediaState, Time, Uuid } from '../shapes.ts';
import { line } from '../text.ts';

const oneMedia = z.strictObject({ id: Uuid });

export const requestUpload = route({
  name: 'requestUpload',
  method: 'post',
  path: '/api/media/uploads',
  service: 'command',
  tag: 'media',
  summary: 'Ask for an address to PUT a file to',
  auth: 'user',
  reads: [],
  idempotencyKey: 'required',
  body: z.strictObject({
    contentType: z
      .string()
      .max(100)
      .regex(/^[a-z0-9.+-]+\/[a-z0-9.+-]+$/i, 'must be a media type such as image/jpeg')
      .toLowerCase(),
    fileName: line({ min: 1, max: 255 }),
    size: z.int().min(1).describe('Bytes'),
  }),
  success: {
    status: 201,
    body: z.object({
      mediaId: Uuid,
      state: MediaState,
      upload: z.object({
        method: z.literal('PUT'),
        url: z.url(),
        headers: z
          .record(z.string(), z.string())
          .describe(
            'Send them with the file, unchanged. What is there is not replaced: a second PUT gets 412',
          ),
        expiresAt: Time,
      }),
    }),
    description: 'Where to PUT the file',
  },
  problems: ['media_type_unsupported', 'media_too_large', 'uploads_off'],
});

export const completeUpload = route({
  name: 'completeUpload',
  method: 'post',
  path: '/api/media/uploads/{id}/complete',
  service: 'command',
  tag: 'media',
  summary: 'Say that the file is there; again changes nothing',
  auth: 'user',
  reads: ['media'],
  idempotencyKey: 'optional',
  params: oneMedia,
  success: {
    status: 202,
    body: z.object({ mediaId: Uuid, state: MediaState }),
    description: 'It is being processed',
  },
  problems: ['media_not_found', 'media_not_uploaded', 'media_too_large', 'uploads_off'],
});

export const readMedia = route({
  name: 'readMedia',
  method: 'get',
  path: '/api/media/{id}',
  service: 'query',
  tag: 'media',
  summary: 'How far a media of mine is, and its variants',
  auth: 'user',
  reads: ['media'],
  params: oneMedia,
  success: { status: 200, body: Media, description: 'The media' },
  problems: ['media_not_found'],
});
