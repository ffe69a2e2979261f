-- Who likes which post. One row is one register: the newest (event_time, event_id) wins, deletions stay as tombstones.
CREATE TABLE post_like (
  post_id    uuid NOT NULL,
  liker_id   uuid NOT NULL,
  live       boolean NOT NULL,
  event_time timestamptz NOT NULL,
  event_id   uuid NOT NULL,
  PRIMARY KEY (post_id, liker_id)
);

-- Moves only by rows of post_like that really changed.
CREATE TABLE post_like_count (
  post_id uuid PRIMARY KEY,
  likes   bigint NOT NULL
);

-- Who was erased: their rows above are tombstones, whatever came first.
CREATE TABLE erased_person (
  user_id    uuid PRIMARY KEY,
  live       boolean NOT NULL,
  event_time timestamptz NOT NULL,
  event_id   uuid NOT NULL
);

-- indexes: built after the bulk path of a rebuild
CREATE INDEX post_like_newest ON post_like (post_id, event_time DESC, liker_id DESC) WHERE live;
