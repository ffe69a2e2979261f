import type { z } from 'zod';
import type { UserSummary } from '../../schemas/shapes.ts';
import type { Tie } from '../../schemas/visibility/visibility.ts';
import type { Cursor } from '../cursor.ts';
import { loadTies } from '../graph/tie.reads.ts';
import { loadMedia, type MediaRow } from '../media/media.reads.ts';
import { type Page, type PageQuery, type Steps, servePage } from '../pipeline.ts';
import type { Scope } from '../scope.ts';
import { presentSummary } from './user.present.ts';
import { loadUsers, type UserRow } from './user.reads.ts';
import { maySeeUser } from './user.rules.ts';

/** People hydrated for a page: one round trip per kind. */
export interface People {
  users: Map<string, UserRow>;
  media: Map<string, MediaRow>;
  /** The viewer's. */
  ties: Map<string, Tie>;
}

export async function hydratePeople(scope: Scope, ids: readonly string[]): Promise<People> {
  const [users, ties] = await Promise.all([loadUsers(scope, ids), loadTies(scope, ids)]);
  return { users, ties, media: await loadMedia(scope, avatarIds(users)) };
}

export function avatarIds(users: ReadonlyMap<string, UserRow>): string[] {
  return [...users.values()].flatMap(({ avatarMediaId }) => (avatarMediaId === null ? [] : [avatarMediaId]));
}

export interface PeoplePage {
  scope: Scope;
  publicUrl: string;
  /** Entries whose id is a person's. */
  skeleton(after: Cursor | null, limit: number): Promise<Cursor[]>;
  /** maySeeUser, unless the list has a rule of its own. */
  maySee?: typeof maySeeUser;
}

/** One page of people, whichever list they are on. */
export function servePeople(
  { scope, publicUrl, skeleton, maySee = maySeeUser }: PeoplePage,
  query: PageQuery,
): Promise<Page<z.input<typeof UserSummary>>> {
  const steps: Steps<Cursor, People, z.input<typeof UserSummary>> = {
    skeleton,
    hydrate: (entries) =>
      hydratePeople(
        scope,
        entries.map((entry) => entry.id),
      ),
    rules: ({ id }, { users, ties }) => maySee(scope.viewerId, users.get(id), ties),
    present: ({ id }, { users, media, ties }) =>
      presentSummary(users.get(id)!, { viewerId: scope.viewerId, media, ties, publicUrl }),
  };
  return servePage(scope.cursors, steps, query);
}
