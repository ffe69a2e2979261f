CREATE TABLE follow (
  follower_id uuid NOT NULL,
  followee_id uuid NOT NULL,
  -- since when, however often it was said; null on a tombstone
  followed_at timestamptz,
  -- granted by the followee, not open to everybody
  approved    boolean,
  live        boolean NOT NULL,
  event_time  timestamptz NOT NULL,
  event_id    uuid NOT NULL,
  PRIMARY KEY (follower_id, followee_id)
);

-- Who asks to follow whom. A request waits while it is live and newer than the row of the follow, if there is one.
CREATE TABLE follow_request (
  follower_id  uuid NOT NULL,
  followee_id  uuid NOT NULL,
  requested_at timestamptz,
  live         boolean NOT NULL,
  event_time   timestamptz NOT NULL,
  event_id     uuid NOT NULL,
  PRIMARY KEY (follower_id, followee_id)
);

CREATE TABLE block (
  blocker_id uuid NOT NULL,
  blocked_id uuid NOT NULL,
  blocked_at timestamptz,
  live       boolean NOT NULL,
  event_time timestamptz NOT NULL,
  event_id   uuid NOT NULL,
  PRIMARY KEY (blocker_id, blocked_id)
);

CREATE TABLE follow_count (
  user_id   uuid PRIMARY KEY,
  followers bigint NOT NULL,
  following bigint NOT NULL
);

-- Who was erased: their rows above are tombstones, whatever came first.
CREATE TABLE erased_person (
  user_id    uuid PRIMARY KEY,
  live       boolean NOT NULL,
  event_time timestamptz NOT NULL,
  event_id   uuid NOT NULL
);

-- indexes: built after the bulk path of a rebuild
CREATE INDEX follow_followers ON follow (followee_id, followed_at DESC, follower_id DESC) WHERE live;
CREATE INDEX follow_following ON follow (follower_id, followed_at DESC, followee_id DESC) WHERE live;
CREATE INDEX follow_request_incoming ON follow_request (followee_id, requested_at DESC, follower_id DESC) WHERE live;
CREATE INDEX block_newest ON block (blocker_id, blocked_at DESC, blocked_id DESC) WHERE live;
