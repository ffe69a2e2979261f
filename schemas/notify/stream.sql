-- The streaming reactor's own copy of the facts that decide who is told of a post.
CREATE TABLE stream_follow (
  follower_id uuid NOT NULL,
  followee_id uuid NOT NULL,
  followed_at timestamptz,
  live        boolean NOT NULL,
  event_time  timestamptz NOT NULL,
  event_id    uuid NOT NULL,
  PRIMARY KEY (follower_id, followee_id)
);

CREATE TABLE stream_post (
  post_id    uuid PRIMARY KEY,
  author_id  uuid NOT NULL,
  media_ids  uuid[],
  trace_id   text,
  live       boolean NOT NULL,
  event_time timestamptz NOT NULL,
  event_id   uuid NOT NULL
);

CREATE TABLE stream_media (
  media_id   uuid PRIMARY KEY,
  owner_id   uuid NOT NULL,
  live       boolean NOT NULL,
  event_time timestamptz NOT NULL,
  event_id   uuid NOT NULL
);

-- indexes: built after the bulk path of a rebuild
CREATE INDEX stream_follow_followers ON stream_follow (followee_id) WHERE live;
CREATE INDEX stream_post_by_author ON stream_post (author_id, event_time) WHERE live;
CREATE INDEX stream_post_by_media ON stream_post USING gin (media_ids);
