-- Accounts that are erased: written in the transaction that removes all the vault has of them, and kept, because tokens
-- outlive an account and records of it still arrive.
CREATE TABLE vault.erasure (
  user_id    uuid PRIMARY KEY,
  event_id   uuid NOT NULL,
  erased_at  timestamptz NOT NULL DEFAULT now(),
  -- what comes after: the last time that its objects were removed, and when nothing of it can come any more
  objects_at timestamptz,
  rows_at    timestamptz
);
CREATE INDEX erasure_newest ON vault.erasure (erased_at);
CREATE INDEX erasure_rows ON vault.erasure (erased_at) WHERE rows_at IS NULL;

-- A name that is nobody's any more, and not to be had before this.
ALTER TABLE vault.claim ADD COLUMN free_at timestamptz;
CREATE INDEX claim_held ON vault.claim (free_at) WHERE free_at IS NOT NULL;

-- The answer to a registration is kept under nobody's name.
CREATE INDEX idempotency_made ON vault.idempotency ((minted ->> 'newId')) WHERE actor = '';

GRANT SELECT, INSERT, UPDATE, DELETE ON vault.erasure TO emulsion_command;
GRANT SELECT, UPDATE ON vault.erasure TO emulsion_media;
GRANT SELECT ON vault.erasure TO emulsion_projector, emulsion_query;
