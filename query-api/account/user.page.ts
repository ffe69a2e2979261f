import type { z } from 'zod';
import type { UserSummary } from '../../schemas/shapes.ts';
import type { Cursor } from '../cursor.ts';
import { loadFollowed } from '../graph/follow.reads.ts';
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
  followed: Set<string>;
}

export async function hydratePeople(scope: Scope, ids: readonly string[]): Promise<People> {
  const [users, followed] = await Promise.all([loadUsers(scope, ids), loadFollowed(scope, ids)]);
  return { users, followed, media: await loadMedia(scope, avatarIds(users)) };
}

export function avatarIds(users: ReadonlyMap<string, UserRow>): string[] {
  return [...users.values()].flatMap(({ avatarMediaId }) => (avatarMediaId === null ? [] : [avatarMediaId]));
}

export interface PeoplePage {
  scope: Scope;
  publicUrl: string;
  /** Entries whose id is a person's. */
  skeleton(after: Cursor | null, limit: number): Promise<Cursor[]>;
}

/** One page of people, whichever list they are on. */
export function servePeople(
  { scope, publicUrl, skeleton }: PeoplePage,
  query: PageQuery,
): Promise<Page<z.input<typeof UserSummary>>> {
  const steps: Steps<Cursor, People, z.input<typeof UserSummary>> = {
    skeleton,
    hydrate: (entries) =>
      hydratePeople(
        scope,
        entries.map((entry) => entry.id),
      ),
    rules: ({ id }, { users, followed }) => maySeeUser(scope.viewerId, users.get(id), followed),
    present: ({ id }, { users, media, followed }) =>
      presentSummary(users.get(id)!, { media, followed, publicUrl }),
  };
  return servePage(steps, query);
}
