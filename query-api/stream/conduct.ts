import { take, takeTogether, tell, watchForStall } from './delivery.ts';
import { endOf, streamProblem } from './ends.ts';
import { cursorOf, filterOf, type Opening, startingPoint } from './opening.ts';
import { end, logEdge, type Reader } from './reader.ts';
import { newSession } from './session.ts';

/**
 * Authenticates and starts the stream. Frames are listened for before the head is read, so that none falls between
 * history and live. Every failure ends the stream with its code; this never rejects.
 */
export async function begin(reader: Reader, opening: Opening): Promise<void> {
  const { verifier, connections, hub, history, settings } = reader.parts;
  try {
    const identity = await verifier.verify(opening.token);
    if (reader.ended) return;
    const cursor = cursorOf(opening.cursor);
    if (opening.fault) throw opening.fault;
    const session = newSession(filterOf(opening.types), settings);
    if (!connections.claim(identity.userId)) {
      throw streamProblem(
        'too_many_streams',
        `At most ${settings.maxPerUser} at a time; close another first`,
      );
    }
    reader.identity = identity;
    reader.session = session;
    const leave = await hub.join(identity.userId, {
      frames: (frames) => takeTogether(reader, frames),
      head: (seq) => take(reader, { kind: 'head', seq }),
    });
    if (reader.ended) return leave();
    reader.leave = leave;
    const bounds = await history.bounds(identity.userId);
    if (reader.ended) return;
    const position = startingPoint(cursor, bounds);
    tell(reader, { type: 'hello', seq: cursor ?? position, head: bounds.head }, cursor ?? position);
    logEdge(reader, 'stream opened');
    take(reader, { kind: 'start', position, head: bounds.head });
  } catch (error) {
    fail(reader, error);
  }
}

/** A new token for a stream that goes on; it must be the same person's. */
export async function renew(reader: Reader, token: string): Promise<void> {
  try {
    const identity = await reader.parts.verifier.verify(token);
    if (reader.ended) return;
    if (!reader.identity) throw streamProblem('message_invalid', 'The first token is still being checked');
    if (identity.userId !== reader.identity.userId) {
      throw streamProblem('token_invalid', 'This stream belongs to another account; open a new one');
    }
    reader.identity = identity;
    tell(reader, { type: 'authenticated', expiresAt: new Date(identity.expiresAt).toISOString() }, null);
  } catch (error) {
    fail(reader, error);
  }
}

/** Called about once a second: everything that time alone brings about. */
export function tick(reader: Reader, now: number): void {
  const { settings } = reader.parts;
  if (reader.ended) return;
  endWithoutToken(reader, now);
  void endWithoutAccount(reader);
  watchForStall(reader, now);
  // Whom it concerned may have changed who sees it since it was looked at: history looks again.
  reader.session?.early.clear();
  if (now - reader.cursorToldAt >= settings.cursorMs) {
    reader.cursorToldAt = now;
    take(reader, { kind: 'tick' });
  }
  if (!reader.ended && now - reader.keptAliveAt >= settings.keepAliveMs) {
    reader.keptAliveAt = now;
    reader.outlet.keepAlive();
  }
}

function endWithoutToken(reader: Reader, now: number): void {
  const { identity, openedAt, parts } = reader;
  if (identity && identity.expiresAt <= now)
    end(reader, 'token_expired', 'Refresh the token and connect again with your cursor');
  if (!identity && now - openedAt > parts.settings.authMs)
    end(reader, 'token_missing', 'No token came in time');
}

/** Whether it stands can not be asked while Postgres is away; the next look tells. */
async function endWithoutAccount(reader: Reader): Promise<void> {
  const { identity, parts } = reader;
  const gone = identity !== null && (await parts.verifier.isErased(identity.userId).catch(() => false));
  if (gone) end(reader, 'token_invalid', 'The account of this token is gone');
}

function fail(reader: Reader, error: unknown): void {
  if (reader.ended) return;
  const { code, detail } = endOf(error);
  if (code === 'dependency_unavailable')
    reader.parts.log.warn({ err: error }, 'a stream could not be opened');
  end(reader, code, detail);
}
