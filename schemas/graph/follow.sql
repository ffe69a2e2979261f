CREATE TABLE follow (
  follower_id uuid NOT NULL,
  followee_id uuid NOT NULL,
  -- since when, however often it was said; null on a tombstone
  followed_at timestamptz,
  live        boolean NOT NULL,
  event_time  timestamptz NOT NULL,
  event_id    uuid NOT NULL,
  PRIMARY KEY (follower_id, followee_id)
);

CREATE TABLE follow_count (
  user_id   uuid PRIMARY KEY,
  followers bigint NOT NULL,
  following bigint NOT NULL
);

-- indexes: built after the bulk path of a rebuild
CREATE INDEX follow_followers ON follow (followee_id, followed_at DESC, follower_id DESC) WHERE live;
CREATE INDEX follow_following ON follow (follower_id, followed_at DESC, followee_id DESC) WHERE live;
