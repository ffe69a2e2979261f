import type { BoundRoute } from '../../platform/http/bind.ts';
import { listBlocks } from '../../schemas/graph/block.http.ts';
import { servePeople } from '../account/user.page.ts';
import { maySeeBlockedUser } from '../account/user.rules.ts';
import type { Room } from '../room.ts';
import { blockedBy } from './block.reads.ts';

export function blockRoutes({ handle, publicUrl }: Room): BoundRoute[] {
  return [
    handle(listBlocks, async ({ query, scope }) => {
      const skeleton = blockedBy.bind(null, scope);
      return { body: await servePeople({ scope, publicUrl, skeleton, maySee: maySeeBlockedUser }, query) };
    }),
  ];
}
