import type { z } from 'zod';
import type { UserSummary } from '../../schemas/shapes.ts';
import { relationOf, type Tie } from '../../schemas/visibility/visibility.ts';
import { hydratePeople, type People } from '../account/user.page.ts';
import { presentSummary } from '../account/user.present.ts';
import { loadUsers, type UserRow } from '../account/user.reads.ts';
import { maySeeUser } from '../account/user.rules.ts';
import type { Cursor } from '../cursor.ts';
import { type Page, type PageQuery, type Steps, servePage } from '../pipeline.ts';
import type { Scope } from '../scope.ts';
import { requestsTo } from './follow.reads.ts';
import { loadTiesToViewer } from './tie.reads.ts';

interface Asking extends People {
  self: UserRow | undefined;
  /** How those who ask stand to the viewer. */
  theirs: Map<string, Tie>;
}

/** One page of those who ask to follow the viewer. Whoever follows asks for nothing, whatever the row says. */
export function serveRequests(
  scope: Scope,
  publicUrl: string,
  query: PageQuery,
): Promise<Page<z.input<typeof UserSummary>>> {
  const viewerId = scope.viewerId!;
  const steps: Steps<Cursor, Asking, z.input<typeof UserSummary>> = {
    skeleton: requestsTo.bind(null, scope),
    async hydrate(entries) {
      const ids = entries.map((entry) => entry.id);
      const [people, own, theirs] = await Promise.all([
        hydratePeople(scope, ids),
        loadUsers(scope, [viewerId]),
        loadTiesToViewer(scope, ids),
      ]);
      return { ...people, self: own.get(viewerId), theirs };
    },
    rules: ({ id }, { users, ties, self, theirs }) =>
      maySeeUser(viewerId, users.get(id), ties) &&
      self !== undefined &&
      relationOf(id, viewerId, self, theirs.get(id)) === 'requested',
    present: ({ id }, { users, media, ties }) =>
      presentSummary(users.get(id)!, { viewerId, media, ties, publicUrl }),
  };
  return servePage(scope.cursors, steps, query);
}
