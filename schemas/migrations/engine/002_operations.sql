-- What operators do with projections: builds of a model beside the served one, pauses, dead letters, and who runs what.

-- A version is one build of a model's tables. `definition` is the version of the code that makes its rows: the same
-- definition can be built again, and a new one is built beside the old.
ALTER TABLE engine.version ADD COLUMN definition integer;
UPDATE engine.version SET definition = version;
ALTER TABLE engine.version
  ALTER COLUMN definition SET NOT NULL,
  ADD COLUMN state text NOT NULL DEFAULT 'projected' CHECK (state IN ('filling', 'projected', 'dropping'));

-- The version served before, which a rollback goes back to.
ALTER TABLE engine.serving ADD COLUMN previous integer;

-- Whoever holds a partition sets it to false and, at an orderly end, back to true: found false by the next holder, the
-- one before died, and what it was doing is done again carefully.
ALTER TABLE engine.position ADD COLUMN released boolean NOT NULL DEFAULT true;

-- A stretch during which a holder died: tried again in smaller steps, until the one record that kills is alone.
CREATE TABLE engine.suspect (
  consumer  text NOT NULL,
  topic     text NOT NULL,
  partition integer NOT NULL,
  first     bigint NOT NULL,
  "end"     bigint NOT NULL,
  step      integer NOT NULL,
  deaths    integer NOT NULL,
  PRIMARY KEY (consumer, topic, partition)
);

-- The bytes as they lie in the log (personal fields encrypted), so that a record can be shown and tried again.
ALTER TABLE engine.parked
  ADD COLUMN value bytea NOT NULL DEFAULT '',
  ADD COLUMN traceparent text,
  ADD COLUMN attempts integer NOT NULL DEFAULT 0,
  ADD COLUMN retry boolean NOT NULL DEFAULT false;
CREATE INDEX parked_retry ON engine.parked (consumer) WHERE retry;

-- Models whose projection an operator has halted.
CREATE TABLE engine.pause (
  model     text PRIMARY KEY,
  paused_at timestamptz NOT NULL DEFAULT now(),
  paused_by text NOT NULL
);

-- What operators ask of the projectors, which take it up within a second. Rows stay: this is the audit.
CREATE TABLE engine.command (
  id        uuid PRIMARY KEY,
  kind      text NOT NULL,
  model     text NOT NULL,
  arguments jsonb NOT NULL DEFAULT '{}',
  asked_by  text NOT NULL,
  asked_at  timestamptz NOT NULL DEFAULT now(),
  taken_at  timestamptz,
  done_at   timestamptz,
  outcome   text CHECK (outcome IN ('done', 'refused', 'failed')),
  detail    text
);
CREATE INDEX command_open ON engine.command (asked_at) WHERE done_at IS NULL;

-- A build under way, or what became of it. `holder` works on it as long as its lease is renewed.
CREATE TABLE engine.rebuild (
  model       text NOT NULL,
  version     integer NOT NULL,
  definition  integer NOT NULL,
  state       text NOT NULL CHECK (state IN
    ('waiting', 'filling', 'indexing', 'catching_up', 'verifying', 'ready', 'switched', 'cancelled', 'failed')),
  asked_by    text NOT NULL,
  asked_at    timestamptz NOT NULL DEFAULT now(),
  auto_switch boolean NOT NULL DEFAULT true,
  holder      uuid,
  held_until  timestamptz,
  started_at  timestamptz,
  finished_at timestamptz,
  per_second  double precision NOT NULL DEFAULT 0,
  eta_seconds double precision,
  errors      bigint NOT NULL DEFAULT 0,
  detail      text,
  PRIMARY KEY (model, version)
);
CREATE UNIQUE INDEX rebuild_open ON engine.rebuild (model) WHERE state NOT IN ('switched', 'cancelled', 'failed');

-- How far each partition of a build is filled; `position` is where it goes on after a death.
CREATE TABLE engine.rebuild_partition (
  model     text NOT NULL,
  version   integer NOT NULL,
  topic     text NOT NULL,
  partition integer NOT NULL,
  position  bigint NOT NULL,
  target    bigint NOT NULL,
  bytes     bigint NOT NULL DEFAULT 0,
  errors    bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (model, version, topic, partition)
);

-- What each process says of each consumer that it runs, every other second.
CREATE TABLE engine.member (
  consumer   text NOT NULL,
  member     uuid NOT NULL,
  process    text NOT NULL,
  state      text NOT NULL,
  reason     text,
  per_second double precision NOT NULL DEFAULT 0,
  -- {"topic/partition": milliseconds}: everything appended before is applied
  fresh      jsonb NOT NULL DEFAULT '{}',
  seen_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, member)
);

-- Views of the served versions under names that stay, for people; programs name the version's schema.
CREATE SCHEMA served AUTHORIZATION emulsion_projector;
GRANT USAGE ON SCHEMA served TO emulsion_query, emulsion_command;

GRANT SELECT ON engine.pause, engine.rebuild, engine.rebuild_partition, engine.member TO emulsion_command, emulsion_query;
GRANT SELECT ON engine.pause TO emulsion_media;
GRANT SELECT, INSERT, UPDATE, DELETE ON engine.suspect, engine.member TO emulsion_media;
GRANT DELETE ON engine.parked TO emulsion_media;
GRANT ALL ON ALL TABLES IN SCHEMA engine TO emulsion_projector;
