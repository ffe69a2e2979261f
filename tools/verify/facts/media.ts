import { canonicalJson, type FactSpec, registerColumns, type Write } from '../spec.ts';
import { erasedPerson, erasedWrites } from './erased.ts';

/** An upload stands where its newest event put it. */
export const media: FactSpec = {
  model: 'media',
  definition: 2,
  topics: ['media-events', 'user-events'],
  erasure: { people: 'erased_person', rows: { media: { of: ['owner_id'], keeps: ['owner_id', 'state'] } } },
  tables: [
    erasedPerson,
    {
      name: 'media',
      key: ['media_id'],
      columns: {
        media_id: 'plain',
        owner_id: 'plain',
        state: 'plain',
        reason: 'plain',
        kind: 'plain',
        width: 'plain',
        height: 'plain',
        placeholder: 'plain',
        dominant_color: 'plain',
        variants: 'json',
        ...registerColumns,
      },
    },
  ],
  writes(event): Write[] {
    switch (event.type) {
      case 'MediaUploadRequested':
        return [stateOf(event, 'requested')];
      case 'MediaUploaded':
        return [stateOf(event, 'uploaded')];
      case 'MediaRejected':
        return [stateOf(event, 'rejected', { reason: event.code })];
      case 'MediaReady':
        return [
          stateOf(event, 'ready', {
            kind: event.kind,
            width: String(event.width),
            height: String(event.height),
            placeholder: event.placeholder,
            dominant_color: event.dominantColor,
            variants: canonicalJson(event.variants),
          }),
        ];
      default:
        return erasedWrites(event);
    }
  },
};

function stateOf(
  event: { mediaId: string; ownerId: string },
  state: string,
  said: Record<string, string> = {},
): Write {
  return {
    table: 'media',
    row: { media_id: event.mediaId, owner_id: event.ownerId, state, ...said },
    live: true,
  };
}
