import { canonicalJson, type FactSpec, registerColumns, type Write } from '../spec.ts';

/** An upload stands where its newest event put it. */
export const media: FactSpec = {
  model: 'media',
  definition: 1,
  topics: ['media-events'],
  tables: [
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
        return [];
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
