CREATE TABLE media (
  media_id       uuid PRIMARY KEY,
  owner_id       uuid NOT NULL,
  state          text NOT NULL CHECK (state IN ('requested', 'uploaded', 'ready', 'rejected')),
  reason         text,
  kind           text,
  width          integer,
  height         integer,
  placeholder    text,
  dominant_color text,
  variants       jsonb,
  live           boolean NOT NULL,
  event_time     timestamptz NOT NULL,
  event_id       uuid NOT NULL
);

-- Who was erased: their rows above are tombstones, whatever came first.
CREATE TABLE erased_person (
  user_id    uuid PRIMARY KEY,
  live       boolean NOT NULL,
  event_time timestamptz NOT NULL,
  event_id   uuid NOT NULL
);

-- indexes: built after the bulk path of a rebuild
CREATE INDEX media_by_owner ON media (owner_id) WHERE live;
