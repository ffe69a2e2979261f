-- The timelines model's own copy of the facts that a home feed is a function of (DESIGN §6).
CREATE TABLE timeline_follow (
  follower_id uuid NOT NULL,
  followee_id uuid NOT NULL,
  followed_at timestamptz,
  live        boolean NOT NULL,
  event_time  timestamptz NOT NULL,
  event_id    uuid NOT NULL,
  PRIMARY KEY (follower_id, followee_id)
);

CREATE TABLE timeline_post (
  post_id    uuid PRIMARY KEY,
  author_id  uuid NOT NULL,
  live       boolean NOT NULL,
  event_time timestamptz NOT NULL,
  event_id   uuid NOT NULL
);

CREATE TABLE timeline_follower_count (
  author_id uuid PRIMARY KEY,
  followers bigint NOT NULL
);

-- Authors above the fan-out threshold: pulled when a feed is read, and for good.
CREATE TABLE timeline_pulled (
  author_id uuid PRIMARY KEY
);

-- The Redis timelines are whole only while Redis holds this epoch; whoever finds another reads the facts above.
CREATE TABLE timeline_state (
  one   boolean PRIMARY KEY DEFAULT true CHECK (one),
  epoch uuid NOT NULL
);
INSERT INTO timeline_state (epoch) VALUES (gen_random_uuid());

-- Who was erased: their rows above are tombstones, whatever came first.
CREATE TABLE erased_person (
  user_id    uuid PRIMARY KEY,
  live       boolean NOT NULL,
  event_time timestamptz NOT NULL,
  event_id   uuid NOT NULL
);

-- indexes: built after the bulk path of a rebuild
CREATE INDEX timeline_post_by_author ON timeline_post (author_id, event_time DESC, post_id DESC) WHERE live;
-- Of tombstones too: an erasure is shown once more when the first time was not to the end.
CREATE INDEX timeline_follow_followers ON timeline_follow (followee_id, follower_id);
