-- What a command has decided to append, kept before it happens: two requests under one key, and a repeat after an unknown
-- outcome, append the same, whatever the state is by then. Encrypted under the master key; NULL once it is answered.
ALTER TABLE vault.idempotency ADD COLUMN decided bytea;
