CREATE TABLE post (
  post_id      uuid PRIMARY KEY,
  author_id    uuid NOT NULL,
  caption      text,
  media_ids    uuid[],
  location     text,
  is_reel      boolean,
  hide_counts  boolean,
  comments_off boolean,
  live         boolean NOT NULL,
  event_time   timestamptz NOT NULL,
  event_id     uuid NOT NULL,
  -- derived: live, and every one of its media is ready
  visible      boolean NOT NULL DEFAULT false
);

-- The part of a media's life that decides whether a post shows.
CREATE TABLE post_media (
  media_id   uuid PRIMARY KEY,
  owner_id   uuid NOT NULL,
  live       boolean NOT NULL,
  event_time timestamptz NOT NULL,
  event_id   uuid NOT NULL
);

-- Visible posts of an author.
CREATE TABLE author_post_count (
  author_id uuid PRIMARY KEY,
  posts     bigint NOT NULL
);

-- Who was erased: their rows above are tombstones, whatever came first.
CREATE TABLE erased_person (
  user_id    uuid PRIMARY KEY,
  live       boolean NOT NULL,
  event_time timestamptz NOT NULL,
  event_id   uuid NOT NULL
);

-- indexes: built after the bulk path of a rebuild
CREATE INDEX post_by_author ON post (author_id, event_time DESC, post_id DESC) WHERE live;
CREATE INDEX post_by_media ON post USING gin (media_ids);
CREATE INDEX post_media_by_owner ON post_media (owner_id) WHERE live;
