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
