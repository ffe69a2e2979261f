import type { BoundRoute } from '../../platform/http/bind.ts';
import { readMedia } from '../../schemas/media/media.http.ts';
import { maySeeMedia } from '../../schemas/visibility/visibility.ts';
import { problem } from '../problem.ts';
import type { Room } from '../room.ts';
import { presentMedia } from './media.present.ts';
import { loadMedia } from './media.reads.ts';

export function mediaRoutes({ handle, publicUrl }: Room): BoundRoute[] {
  return [
    handle(readMedia, async ({ params, viewer, scope }) => {
      const row = (await loadMedia(scope, [params.id])).get(params.id);
      if (!row || !maySeeMedia(viewer.userId, row.ownerId)) throw problem('media_not_found');
      return { body: presentMedia(row, publicUrl) };
    }),
  ];
}
