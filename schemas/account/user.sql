-- Who somebody is: set once at registration.
CREATE TABLE person (
  user_id       uuid PRIMARY KEY,
  -- Bounded where it is written, so that the indexes below never refuse what a build has filled already.
  username      text CHECK (octet_length(username) <= 400),
  email         text,
  date_of_birth date,
  live          boolean NOT NULL,
  event_time    timestamptz NOT NULL,
  event_id      uuid NOT NULL
);

-- What somebody says of themselves: each edit carries the whole of it.
CREATE TABLE profile (
  user_id         uuid PRIMARY KEY,
  full_name       text,
  bio             text,
  website         text,
  gender          text,
  avatar_media_id uuid,
  -- null: the account is public
  private_since   timestamptz,
  live            boolean NOT NULL,
  event_time      timestamptz NOT NULL,
  event_id        uuid NOT NULL
);

-- Who was erased: their rows above are tombstones, whatever came first.
CREATE TABLE erased_person (
  user_id    uuid PRIMARY KEY,
  live       boolean NOT NULL,
  event_time timestamptz NOT NULL,
  event_id   uuid NOT NULL
);

-- indexes: built after the bulk path of a rebuild
-- Not unique on purpose: names move between people whose events come in any order; the vault keeps them unique.
CREATE INDEX person_by_username ON person (lower(username)) WHERE live;
CREATE INDEX person_by_prefix ON person (lower(username) text_pattern_ops) WHERE live;
-- A hundred characters may be thousands of bytes, and an index takes 2,700; searches look at the rest by themselves.
CREATE INDEX profile_by_prefix ON profile (left(lower(full_name), 200) text_pattern_ops) WHERE live;
