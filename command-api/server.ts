import { createTokenVerifier } from '../platform/http/access-token.ts';
import { type BoundRoute, createBinder } from '../platform/http/bind.ts';
import { createKeyStore } from '../platform/http/signing-keys.ts';
import type { Appender } from '../platform/log/appender.ts';
import type { Codec } from '../platform/log/codec.ts';
import { decodePosition } from '../platform/log/position.ts';
import type { Pool } from '../platform/postgres/pool.ts';
import { prepared } from '../platform/postgres/prepared.ts';
import type { Storage } from '../platform/storage/s3.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';
import { watchErasures } from '../platform/vault/erasures.ts';
import type { MasterKey } from '../platform/vault/master-key.ts';
import type { Event } from '../schemas/generated/events.ts';
import type { ModelName } from '../schemas/route.ts';
import { authRoutes } from './account/auth.route.ts';
import { openPasswords } from './account/passwords.ts';
import { openSessions } from './account/sessions.ts';
import { openSigningKey, readPublicKeys } from './account/signing-key.ts';
import { userRoutes } from './account/user.route.ts';
import { openOwners, openPeople } from './account/user.state.ts';
import { openClock } from './append/clock.ts';
import { openLogWriter } from './append/log-writer.ts';
import type { Relay } from './append/relay.ts';
import { likeRoutes } from './content/like.route.ts';
import { postRoutes } from './content/post.route.ts';
import { openPosts } from './content/post.state.ts';
import { blockRoutes } from './graph/block.route.ts';
import { followRoutes } from './graph/follow.route.ts';
import { requestRoutes } from './graph/request.route.ts';
import { openTies } from './graph/tie.state.ts';
import { openReplies, type Scope } from './guards/bind.ts';
import type { Idempotency } from './guards/idempotency.ts';
import type { Models } from './guards/models.ts';
import { mediaRoutes } from './media/media.route.ts';

/** Everything main.ts has opened, and every setting, as plain arguments. */
export interface CommandParts {
  pool: Pool;
  master: MasterKey;
  codec: Codec<Event>;
  appender: Appender;
  relay: Relay;
  idempotency: Idempotency;
  models: Models;
  storage: Storage | null;
  metrics: Metrics;
  /** Signs position tokens; engine.setting has it. */
  positionKey: Buffer;
  /** Public address, the issuer of access tokens. */
  issuer: string;
}

/** Every write of the product, and everything of the vault, bound to its contract. */
export async function commandRoutes(parts: CommandParts): Promise<BoundRoute[]> {
  const { pool, master, models, metrics, issuer } = parts;
  const signing = await openSigningKey(pool, master);
  const handle = openHandle(parts);
  const views = prepared(pool);
  const shell = {
    ...parts,
    writer: openLogWriter(parts),
    clock: openClock(Date.now),
    passwords: await openPasswords(),
    sessions: openSessions({ pool, master, signing, issuer }),
    people: openPeople(views, models),
    owners: openOwners(views, models),
    ties: openTies(views, models),
    posts: openPosts(views, models),
    reply: openReplies(parts.positionKey),
    signups: metrics.counter('signups_total', 'Accounts made'),
    created: metrics.counter('posts_created_total', 'Posts published'),
  };
  return [
    ...authRoutes(handle, shell),
    ...userRoutes(handle, shell),
    ...followRoutes(handle, shell),
    ...requestRoutes(handle, shell),
    ...blockRoutes(handle, shell),
    ...postRoutes(handle, shell),
    ...likeRoutes(handle, shell),
    ...mediaRoutes(handle, shell),
  ];
}

/** Each request waits for the caller's own last position in the models that its contract reads (DESIGN §4, §5). */
function openHandle({ pool, models, positionKey, issuer }: CommandParts) {
  const keyOf = createKeyStore(async () => {
    const { keys } = await readPublicKeys(pool);
    return keys.map((jwk) => ({ kid: String(jwk.kid), jwk }));
  });
  return createBinder<Scope>({
    verify: createTokenVerifier({ keyOf, issuer, isErased: watchErasures(pool) }),
    async open(contract, { header }) {
      const token = header('x-min-position');
      const position = token === '' ? null : decodePosition(token, positionKey);
      await models.caughtUp(contract.reads as readonly ModelName[], position);
      return { position };
    },
  });
}
