import { afterCursor, type Cursor, cursorParams } from '../cursor.ts';
import type { Scope } from '../scope.ts';

/** Whom the viewer has blocked, newest first: skeleton entries whose id is the blocked one's. */
export async function blockedBy(scope: Scope, after: Cursor | null, limit: number): Promise<Cursor[]> {
  const { rows } = await scope.db.query(
    `SELECT blocked_id, blocked_at FROM ${scope.schema('graph')}.block
     WHERE blocker_id = $1 AND live AND ${afterCursor('blocked_at', 'blocked_id', 2)}
     ORDER BY blocked_at DESC, blocked_id DESC LIMIT $4`,
    [scope.viewerId, ...cursorParams(after), limit],
  );
  return rows.map((row) => ({ id: row.blocked_id, time: row.blocked_at.getTime() }));
}
