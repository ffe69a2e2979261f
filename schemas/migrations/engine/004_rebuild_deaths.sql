-- Processes that died in a row while they filled a build, without getting any further: it is given up before it takes the
-- projectors with it for ever.
ALTER TABLE engine.rebuild ADD COLUMN deaths integer NOT NULL DEFAULT 0;
