-- What operators ruled about records that models had parked; the replacement of an edited one is in the log.
CREATE TABLE ruling (
  letter_id     uuid PRIMARY KEY,
  model         text NOT NULL,
  log_topic     text NOT NULL,
  log_partition integer NOT NULL,
  log_offset    bigint NOT NULL,
  verdict       text NOT NULL,
  reason        text,
  live          boolean NOT NULL,
  event_time    timestamptz NOT NULL,
  event_id      uuid NOT NULL
);

-- indexes: built after the bulk path of a rebuild
CREATE INDEX ruling_place ON ruling (model, log_topic, log_partition, log_offset);
