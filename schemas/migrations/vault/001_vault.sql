-- What the log must not hold and cannot make again (DESIGN §9). Each service gets the narrowest rights.
CREATE SCHEMA vault;

CREATE TABLE vault.credential (
  user_id       uuid PRIMARY KEY,
  password_hash text NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now()
);

-- Who holds a username or an email: an HMAC of the folded value, so that no name stands here in clear.
CREATE TABLE vault.claim (
  kind       text NOT NULL CHECK (kind IN ('username', 'email')),
  value_hmac bytea NOT NULL,
  user_id    uuid NOT NULL,
  claimed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (kind, value_hmac)
);
CREATE INDEX claim_by_user ON vault.claim (user_id);

-- Events of guarded commands, written in the transaction of their claim; the relay appends them in order.
CREATE TABLE vault.outbox (
  seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id   uuid NOT NULL UNIQUE,
  topic      text NOT NULL,
  key        text NOT NULL,
  value      bytea NOT NULL,
  headers    jsonb NOT NULL,
  partition  integer,
  "offset"   bigint,
  created_at timestamptz NOT NULL DEFAULT now(),
  relayed_at timestamptz
);
CREATE INDEX outbox_waiting ON vault.outbox (seq) WHERE relayed_at IS NULL;

-- One data key an owner, wrapped by the master key. Deleting the row is erasure.
CREATE TABLE vault.data_key (
  owner          text PRIMARY KEY,
  wrapped        bytea NOT NULL,
  master_version integer NOT NULL DEFAULT 1,
  created_at     timestamptz NOT NULL DEFAULT now()
);

-- A repeat with the same key gives the same answer; answer is encrypted under the master key.
CREATE TABLE vault.idempotency (
  actor      text NOT NULL,
  route      text NOT NULL,
  key        text NOT NULL,
  body_hmac  bytea NOT NULL,
  minted     jsonb NOT NULL,
  answer     bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (actor, route, key)
);
CREATE INDEX idempotency_age ON vault.idempotency (created_at);

CREATE TABLE vault.session (
  session_id uuid PRIMARY KEY,
  user_id    uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_seen  timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);
CREATE INDEX session_by_user ON vault.session (user_id);

-- A refresh token is used once; a second use revokes its session.
CREATE TABLE vault.refresh_token (
  token_hmac bytea PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES vault.session ON DELETE CASCADE,
  expires_at timestamptz NOT NULL,
  used_at    timestamptz
);
CREATE INDEX refresh_by_session ON vault.refresh_token (session_id);

-- Signs access tokens. Readers see the public half only.
CREATE TABLE vault.signing_key (
  kid             text PRIMARY KEY,
  public_jwk      jsonb NOT NULL,
  private_wrapped bytea NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now()
);

GRANT USAGE ON SCHEMA vault TO emulsion_command, emulsion_query, emulsion_projector, emulsion_media;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA vault TO emulsion_command;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA vault TO emulsion_command;
GRANT SELECT (kid, public_jwk) ON vault.signing_key TO emulsion_query;
-- UPDATE is what FOR SHARE needs; nobody but command-api changes a key.
GRANT SELECT, UPDATE ON vault.data_key TO emulsion_projector, emulsion_media;
