-- What the projection engine keeps beside the models: versions, positions, parked records.
CREATE SCHEMA engine;

-- Every version of every model that has tables; schema_name holds them.
CREATE TABLE engine.version (
  model       text NOT NULL,
  version     integer NOT NULL,
  schema_name text NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (model, version)
);

-- The version that readers see. Switching a rebuilt model is one UPDATE here.
CREATE TABLE engine.serving (
  model       text PRIMARY KEY,
  version     integer NOT NULL,
  switched_at timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (model, version) REFERENCES engine.version
);

-- The next offset each consumer reads. Saved in the transaction of the rows it made; a claim raises generation, so
-- that whoever held the partition before can write no more.
CREATE TABLE engine.position (
  consumer   text NOT NULL,
  topic      text NOT NULL,
  partition  integer NOT NULL,
  position   bigint NOT NULL,
  generation bigint NOT NULL DEFAULT 0,
  event_time timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, topic, partition)
);

-- Records that fail for good, and those of the same key behind them. The log keeps the bytes.
CREATE TABLE engine.parked (
  consumer  text NOT NULL,
  topic     text NOT NULL,
  partition integer NOT NULL,
  "offset"  bigint NOT NULL,
  key       text NOT NULL,
  event_id  uuid,
  code      text NOT NULL,
  detail    text NOT NULL,
  parked_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (consumer, topic, partition, "offset")
);
CREATE INDEX parked_key ON engine.parked (consumer, topic, partition, key);

-- Small values that several services share, such as the key that signs position tokens.
CREATE TABLE engine.setting (
  name  text PRIMARY KEY,
  value bytea NOT NULL
);
INSERT INTO engine.setting (name, value)
VALUES ('position_key', decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));

-- The live stream: what each user's socket was or will be told, numbered per user without holes.
CREATE SCHEMA stream;
CREATE TABLE stream.head (
  user_id uuid PRIMARY KEY,
  seq     bigint NOT NULL
);
CREATE TABLE stream.entry (
  user_id    uuid NOT NULL,
  seq        bigint NOT NULL,
  event_id   uuid NOT NULL,
  event_time timestamptz NOT NULL,
  payload    jsonb NOT NULL,
  PRIMARY KEY (user_id, seq),
  UNIQUE (user_id, event_id)
);

GRANT USAGE ON SCHEMA engine, stream TO emulsion_command, emulsion_query, emulsion_projector, emulsion_media;
GRANT SELECT ON engine.version, engine.serving, engine.position, engine.parked TO emulsion_command, emulsion_query;
GRANT SELECT ON engine.setting TO emulsion_command, emulsion_query;
GRANT SELECT ON stream.head, stream.entry TO emulsion_query;
GRANT ALL ON ALL TABLES IN SCHEMA engine, stream TO emulsion_projector;
GRANT SELECT, INSERT, UPDATE ON engine.position, engine.parked TO emulsion_media;

-- Projectors make the tables of new versions by themselves.
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO emulsion_projector', current_database()); END $$;
