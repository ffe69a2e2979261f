import { defineModel, erase, erasedPeople, put } from '../engine/model.ts';

/** Where each upload stands. Its events come in the order of one key, and the newest says all there is to say. */
export const media = defineModel({
  name: 'media',
  version: 2,
  topics: ['media-events', 'user-events'],
  sqlFile: 'media/media.sql',
  registers: [erasedPeople, 'media'],
  counters: [],
  erasure: { people: erasedPeople, rows: { media: ['owner_id'] } },
  on: {
    MediaUploadRequested: (event) => [put('media', { ...ids(event), state: 'requested' })],
    MediaUploaded: (event) => [put('media', { ...ids(event), state: 'uploaded' })],
    MediaReady: (event) => [
      put('media', {
        ...ids(event),
        state: 'ready',
        kind: event.kind,
        width: event.width,
        height: event.height,
        placeholder: event.placeholder,
        dominant_color: event.dominantColor,
        variants: event.variants,
      }),
    ],
    MediaRejected: (event) => [put('media', { ...ids(event), state: 'rejected', reason: event.code })],
    UserErased: erase,
  },
});

function ids(event: { mediaId: string; ownerId: string }): { media_id: string; owner_id: string } {
  return { media_id: event.mediaId, owner_id: event.ownerId };
}
